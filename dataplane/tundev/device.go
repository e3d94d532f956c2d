package tundev

import "errors"

// HeaderLen is the length of the virtio-net header in front of every packet.
const HeaderLen = 10

// ErrAgain says that nothing waits to be read, or that the device takes nothing now.
var ErrAgain = errors.New("tundev: nothing to do now")

// Device is one interface.
type Device interface {
	Name() string
	// Read reads one virtio-net header and packet into b; it does not block: ErrAgain.
	// A packet longer than b is cut: give room for 65535 octets.
	Read(b []byte) (int, error)
	// Write writes one virtio-net header and packet. It may finish the checksum of the packet in b.
	// unix.EINVAL says that the device does not take a super-packet: cut it (Segment).
	Write(b []byte) (int, error)
	// Offloads tells what the kernel does for the device.
	Offloads() Offloads
	Close() error
}

// Offloads are what the kernel does for a device, each by itself. Without them packets come and go one by
// one, with whole checksums; the virtio-net header in front of them stays, and says that nothing is left
// to do.
type Offloads struct {
	Header bool // it gives and takes virtio-net headers (IFF_VNET_HDR); the others need it
	TCP    bool // it hands TCP over in super-packets, and checksums undone (TUN_F_TSO4, TUN_F_TSO6)
	UDP    bool // and the datagrams of one send of an application too (TUN_F_USO4, TUN_F_USO6)
	Takes  bool // it takes super-packets, unless a write says otherwise
}

// Poller waits for devices that have something to read.
type Poller interface {
	// Add watches a device made by the same kind of opener; key comes back from Wait.
	Add(d Device, key uint32) error
	Remove(d Device) error
	// Wait writes the keys of readable devices; a device comes again as long as it is readable.
	// Where none is, it blocks, for some milliseconds with its P (package soon), or gives 0 at once. After Close it
	// returns net.ErrClosed.
	Wait(keys []uint32, block bool) (int, error)
	Close() error
}
