package sim

import (
	"bytes"
	"net/netip"
	"time"

	"pc5d/dataplane/udp"
)

// outerHeaders are IPv4 and UDP.
const outerHeaders = 28

// maxRecorded bounds what is kept of the traffic: the newest.
const maxRecorded = 8192

// Conditions are what the network does to datagrams. The zero value is a perfect network.
type Conditions struct {
	Loss, Duplicate, Corrupt float64
	MinDelay, MaxDelay       time.Duration // drawn for each datagram: reordering
}

// perfect is a network that only takes its time.
var perfect = Conditions{MinDelay: time.Millisecond, MaxDelay: time.Millisecond}

// Datagram is one datagram on its way.
type Datagram struct {
	From, To netip.AddrPort
	Octets   []byte
	At       time.Duration // when it was sent
	Forged   bool          // not by the host whose address it carries
}

// direction is a path one way.
type direction struct{ from, to netip.AddrPort }

// Network carries datagrams between hosts.
type Network struct {
	Conditions
	// Filter, if set, sees each datagram a host sends before anything else happens to it, and
	// gives what travels on; nothing: lost.
	Filter func(Datagram) []Datagram

	world    *World
	hosts    map[netip.AddrPort]*Host
	cut      map[direction]bool
	lag      map[direction]time.Duration
	recorded []Datagram // by hosts and by the attacker
	sent     int        // by hosts, since the beginning
}

func newNetwork(w *World) *Network {
	return &Network{
		world: w, Conditions: perfect, hosts: map[netip.AddrPort]*Host{},
		cut: map[direction]bool{}, lag: map[direction]time.Duration{},
	}
}

// Recorded is what was sent, as somebody on all paths sees it; the last maxRecorded.
func (n *Network) Recorded() []Datagram { return n.recorded }

// Sent counts the datagrams of all hosts.
func (n *Network) Sent() int { return n.sent }

// Cut parts two hosts, one way or both.
func (n *Network) Cut(from, to *Host) { n.cut[direction{from.Address, to.Address}] = true }

// Delay makes one direction slower.
func (n *Network) Delay(from, to *Host, d time.Duration) {
	n.lag[direction{from.Address, to.Address}] = d
}

// Heal ends partitions and delays.
func (n *Network) Heal() {
	clear(n.cut)
	clear(n.lag)
}

// send is the way of a host's datagram.
func (n *Network) send(d Datagram) {
	n.sent++
	d.At = n.world.Now()
	n.record(d)
	travelling := []Datagram{d}
	if n.Filter != nil {
		travelling = n.Filter(d)
	}
	for _, d := range travelling {
		n.carry(d)
	}
}

// Inject puts an attacker's datagram on the network.
func (n *Network) Inject(d Datagram) {
	d.At, d.Forged = n.world.Now(), true
	n.record(d)
	n.carry(d)
}

func (n *Network) record(d Datagram) {
	if len(n.recorded) == maxRecorded {
		n.recorded = append(n.recorded[:0:0], n.recorded[maxRecorded/2:]...)
	}
	n.recorded = append(n.recorded, d)
	n.world.Trace.datagram(d)
}

func (n *Network) carry(d Datagram) {
	w := n.world
	if n.cut[direction{d.From, d.To}] || w.chance(n.Loss) {
		return
	}
	if w.chance(n.Duplicate) {
		n.deliver(d)
	}
	if w.chance(n.Corrupt) && len(d.Octets) > 0 {
		d.Octets = bytes.Clone(d.Octets)
		d.Octets[w.rand.IntN(len(d.Octets))] ^= 1 << w.rand.IntN(8)
	}
	n.deliver(d)
}

func (n *Network) deliver(d Datagram) {
	path := direction{d.From, d.To}
	n.world.After(n.world.between(n.MinDelay, n.MaxDelay)+n.lag[path], func() {
		if h := n.hosts[d.To]; h != nil && !n.cut[path] {
			h.receive(d)
		}
	})
}

// conn is the socket of one run of a daemon.
type conn struct {
	process *process
	closed  bool
}

// Send implements udp.Conn.
func (c *conn) Send(to netip.AddrPort, b []byte, size int, _ uint8) error {
	if mtu := c.process.host.MTU; mtu > 0 && min(size, len(b))+outerHeaders > mtu {
		return udp.ErrTooLong
	}
	for len(b) > 0 && !c.closed {
		n := min(size, len(b))
		d := Datagram{From: c.process.host.Address, To: to, Octets: bytes.Clone(b[:n])}
		c.process.host.world.sent(c.process, d)
		c.process.host.world.Network.send(d)
		b = b[n:]
	}
	return nil
}

// Answer implements udp.Conn.
func (c *conn) Answer(to netip.AddrPort, b []byte, _ udp.Share) error {
	return c.Send(to, b, len(b), 0)
}

// Receive implements udp.Conn. The world hands messages to the engine itself.
func (c *conn) Receive([]udp.Message, bool) (int, error) { panic("BUG: sim: nobody runs the engine") }

// LocalAddr implements udp.Conn.
func (c *conn) LocalAddr() netip.AddrPort { return c.process.host.Address }

// Offloads implements udp.Conn.
func (c *conn) Offloads() udp.Offloads { return udp.Offloads{} }

// Close implements udp.Conn.
func (c *conn) Close() error {
	c.closed = true
	return nil
}
