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
	// Write writes one virtio-net header and packet.
	Write(b []byte) (int, error)
	Close() error
}

// Poller waits for devices that have something to read.
type Poller interface {
	// Add watches a device made by the same kind of opener; key comes back from Wait.
	Add(d Device, key uint32) error
	Remove(d Device) error
	// Wait writes the keys of readable devices; a device comes again as long as it is readable.
	// Where none is, it blocks, or gives 0 at once. After Close it returns net.ErrClosed.
	Wait(keys []uint32, block bool) (int, error)
	Close() error
}
