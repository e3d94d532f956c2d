package tundev

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Tun is the Linux Device.
type Tun struct {
	name     string
	fd       int
	offloads Offloads
}

// Open makes the interface, or takes over one that exists and nobody holds. What is in without is left
// unused although the kernel may have it, to test what stands in.
func Open(name string, mtu int, without Offloads) (*Tun, error) {
	device, err := create(name, mtu, without)
	if err != nil {
		return nil, fmt.Errorf("tundev: make interface %s: %w: the daemon needs CAP_NET_ADMIN and /dev/net/tun", name, err)
	}
	defer device.Close() // its goroutines, netlink socket and buffers; the interface lives on
	actual, err := device.Name()
	if err != nil {
		return nil, fmt.Errorf("tundev: read the name of interface %s: %w", name, err)
	}
	fd, err := duplicate(device.File())
	if err != nil {
		return nil, fmt.Errorf("tundev: keep interface %s: %w", name, err)
	}
	offloads, err := probe(fd, without)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("tundev: interface %s: %w", name, err)
	}
	return &Tun{name: actual, fd: fd, offloads: offloads}, nil
}

// duplicate leaves the file in non-blocking mode, which File.Fd would not.
func duplicate(file *os.File) (int, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd := -1
	var failed error
	err = raw.Control(func(old uintptr) {
		fd, failed = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err != nil {
		return -1, err
	}
	return fd, failed
}

// Name is the name of the interface.
func (t *Tun) Name() string { return t.name }

// Offloads implements Device.
func (t *Tun) Offloads() Offloads { return t.offloads }

// Read implements Device.
func (t *Tun) Read(b []byte) (int, error) {
	if !t.offloads.Header {
		return t.readPlain(b)
	}
	return t.read(b)
}

func (t *Tun) read(b []byte) (int, error) {
	for {
		n, err := t.call(unix.SYS_READ, b)
		switch err {
		case 0:
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, ErrAgain
		default:
			return 0, err
		}
	}
}

// call reads or writes b, which is not empty. The descriptor never blocks, so the scheduler of Go need not hear of the
// call: it would be 5 % of the time of a small packet.
func (t *Tun) call(number uintptr, b []byte) (int, unix.Errno) {
	n, _, err := unix.RawSyscall(number, uintptr(t.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return int(n), err
}

// Write implements Device.
func (t *Tun) Write(b []byte) (int, error) {
	if !t.offloads.Takes && ReadHeader(b).Super() {
		return 0, unix.EINVAL
	}
	if !t.offloads.Header {
		return t.writePlain(b)
	}
	return t.write(b)
}

func (t *Tun) write(b []byte) (int, error) {
	for {
		n, err := t.call(unix.SYS_WRITE, b)
		switch err {
		case 0:
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN, unix.ENOBUFS, unix.ENOMEM:
			return 0, ErrAgain
		default:
			return 0, err
		}
	}
}

// Close ends the interface.
func (t *Tun) Close() error { return unix.Close(t.fd) }
