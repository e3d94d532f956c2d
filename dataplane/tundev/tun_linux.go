package tundev

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/tun"
)

// Tun is the Linux Device.
type Tun struct {
	name string
	fd   int
}

// Open makes the interface, or takes over one that exists and nobody holds.
func Open(name string, mtu int) (*Tun, error) {
	device, err := tun.CreateTUN(name, mtu)
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
	// TCP super-packets whole and checksums undone where the kernel can do that, else plain packets.
	const super = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6 | unix.TUN_F_TSO_ECN
	if unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, super) != nil {
		if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, 0); err != nil {
			unix.Close(fd)
			return nil, fmt.Errorf("tundev: switch the offloads of interface %s off: %w", name, err)
		}
	}
	return &Tun{name: actual, fd: fd}, nil
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

// Read implements Device.
func (t *Tun) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(t.fd, b)
		switch err {
		case nil:
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, ErrAgain
		default:
			return 0, err
		}
	}
}

// Write implements Device.
func (t *Tun) Write(b []byte) (int, error) {
	for {
		n, err := unix.Write(t.fd, b)
		switch err {
		case nil:
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
