package tundev

import (
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// MostReads is how many reads a Ring does with one call.
const MostReads = 32

// Ring reads several packets of a device with one system call (io_uring): a TUN gives one packet for each read, and
// where going into the kernel and back costs more than the read, it costs more than all else that is done for a small
// packet. A Ring that is not open, or that turns out not to work, reads one by one, as it does at a device without
// virtio-net headers. InUse may be called by any goroutine, the rest by one at a time.
type Ring struct {
	queues  *queues
	lost    func(error)
	results [MostReads]int
	inUse   atomic.Bool
}

// Open makes the queues. It fails where the kernel has no io_uring, or forbids it. Where a Read finds that it does not
// work it calls lost, which may be nil, and goes on without.
func (r *Ring) Open(lost func(error)) (err error) {
	if r.queues, err = newQueues(MostReads); err != nil {
		return fmt.Errorf("tundev: make an io_uring: %w", err)
	}
	r.lost = lost
	r.inUse.Store(true)
	return nil
}

// InUse tells whether the kernel reads several at once.
func (r *Ring) InUse() bool { return r.inUse.Load() }

// Read reads once into each buffer, which is on the heap and as Device.Read wants it, and puts the lengths
// beside: 0 where it read nothing. ErrAgain says that not all of them were filled, another error that the device fails.
func (r *Ring) Read(d Device, into [][]byte, lengths []int) error {
	t, ok := d.(*Tun)
	if !ok || !t.offloads.Header || r.queues == nil {
		return readEach(d, into, lengths)
	}
	results := r.results[:len(into)]
	broken := r.queues.read(t.fd, into, results)
	var failed error
	for i, n := range results {
		lengths[i] = max(0, n)
		if n > 0 || failed != nil && !errors.Is(failed, ErrAgain) {
			continue
		}
		failed = ErrAgain
		switch errno := unix.Errno(-n); errno {
		case unix.EAGAIN, unix.EINTR:
		case unix.EOPNOTSUPP, unix.EINVAL, unix.ENOMEM, unix.ECANCELED:
			broken = errno // it is not the device's: before Linux 6.4 a TUN must not be asked not to wait
		default:
			failed = errno
		}
	}
	if broken != nil {
		r.Close()
		if r.lost != nil {
			r.lost(broken)
		}
	}
	return failed
}

// readEach is Read with a system call for each packet.
func readEach(d Device, into [][]byte, lengths []int) error {
	clear(lengths[:len(into)])
	for i, b := range into {
		n, err := d.Read(b)
		if err != nil {
			return err
		}
		lengths[i] = n
	}
	return nil
}

// Close frees the queues.
func (r *Ring) Close() {
	if r.queues != nil {
		r.inUse.Store(false)
		r.queues.close()
		r.queues = nil
	}
}
