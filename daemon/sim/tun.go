package sim

import (
	"net/netip"
	"os"

	"pc5d/daemon/host"
	"pc5d/dataplane/tundev"
)

// deviceQueue is how many packets wait for the engine at most, as a TUN's txqueuelen.
const deviceQueue = 500

// device is a link's interface: the host's network stack at one end, the engine at the other.
type device struct {
	name    string
	mtu     int
	end     *End
	key     uint32 // the engine's
	waiting [][]byte
	closed  bool
}

// Name implements tundev.Device.
func (d *device) Name() string { return d.name }

// Read implements tundev.Device.
func (d *device) Read(b []byte) (int, error) {
	if d.closed {
		return 0, os.ErrClosed
	}
	if len(d.waiting) == 0 {
		return 0, tundev.ErrAgain
	}
	clear(b[:tundev.HeaderLen])
	n := tundev.HeaderLen + copy(b[tundev.HeaderLen:], d.waiting[0])
	d.waiting = d.waiting[1:]
	return n, nil
}

// Write implements tundev.Device: the packet is the host's now.
func (d *device) Write(b []byte) (int, error) {
	if d.closed {
		return 0, os.ErrClosed
	}
	if packet := b[tundev.HeaderLen:]; !d.end.Host.world.tooBig(d.end, packet) {
		d.end.Host.world.arrived(d.end, packet)
	}
	return len(b), nil
}

// Offloads implements tundev.Device: a simulated host has none.
func (d *device) Offloads() tundev.Offloads { return tundev.Offloads{} }

// Close implements tundev.Device.
func (d *device) Close() error {
	d.closed = true
	return nil
}

// poller hands out keys and never waits: the world turns the engine itself.
type poller struct{}

func (poller) Add(d tundev.Device, key uint32) error {
	d.(*device).key = key // every device of a simulation is one
	return nil
}

func (poller) Remove(tundev.Device) error { return nil }

func (poller) Wait([]uint32, bool) (int, error) { panic("BUG: sim: nobody runs the engine") }

func (poller) Close() error { return nil }

// hostNetwork takes the daemon's wishes for addresses and routes.
type hostNetwork struct{ guarded []netip.Prefix }

func (*hostNetwork) Configure(host.Interface) error   { return nil }
func (n *hostNetwork) Guard(p []netip.Prefix) error   { n.guarded = p; return nil }
func (*hostNetwork) Taken(netip.Addr) (string, error) { return "", nil }
func (n *hostNetwork) Clean() error                   { n.guarded = nil; return nil }
func (*hostNetwork) Close()                           {}
