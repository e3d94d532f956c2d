package tundev

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"pc5d/dataplane/soon"
)

// waitEvents is the most devices that one Wait reports.
const waitEvents = 64

// wakeKey is the key of the descriptor that ends Wait; no device has it.
const wakeKey = ^uint32(0)

// Epoll is the Linux Poller.
type Epoll struct {
	fd, wake int
	closed   atomic.Bool
	mu       sync.RWMutex // held for reading while fd is in use

	// Of the goroutine that waits.
	events   [waitEvents]unix.EpollEvent
	expected soon.Expectation
}

// NewPoller makes a poller.
func NewPoller() (*Epoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("tundev: make an epoll descriptor: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("tundev: make an event descriptor: %w", err)
	}
	p := &Epoll{fd: fd, wake: wake}
	if err := p.watch(wake, wakeKey); err != nil {
		unix.Close(fd)
		unix.Close(wake)
		return nil, err
	}
	return p, nil
}

func (p *Epoll) watch(fd int, key uint32) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(key)}
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return fmt.Errorf("tundev: watch a descriptor: %w", err)
	}
	return nil
}

// Add implements Poller.
func (p *Epoll) Add(d Device, key uint32) error {
	t, ok := d.(*Tun)
	if !ok || key == wakeKey {
		return fmt.Errorf("tundev: device %s can not be polled: open it with Open", d.Name())
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed.Load() {
		return net.ErrClosed
	}
	return p.watch(t.fd, key)
}

// Remove implements Poller.
func (p *Epoll) Remove(d Device) error {
	t, ok := d.(*Tun)
	if !ok {
		return fmt.Errorf("tundev: device %s is not polled here", d.Name())
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed.Load() {
		return net.ErrClosed
	}
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, t.fd, nil); err != nil {
		return fmt.Errorf("tundev: stop watching %s: %w", t.name, err)
	}
	return nil
}

// Wait implements Poller.
func (p *Epoll) Wait(keys []uint32, block bool) (int, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for {
		if p.closed.Load() {
			return 0, net.ErrClosed
		}
		n, err := p.wait(min(len(keys), waitEvents), block)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("tundev: wait: %w", err)
		}
		if p.closed.Load() {
			return 0, net.ErrClosed
		}
		for i := range n {
			keys[i] = uint32(p.events[i].Fd)
		}
		return n, nil
	}
}

// wait asks the kernel for events. Go's scheduler hears of it only where it may take long.
func (p *Epoll) wait(most int, block bool) (n int, err error) {
	left := time.Duration(0)
	if block {
		left = p.expected.Left(time.Now())
	}
	if left > 0 || !block {
		n, err = p.unheard(most, left)
	}
	if n == 0 && err == nil && block {
		n, err = unix.EpollWait(p.fd, p.events[:most], -1)
	}
	if n > 0 {
		p.expected.Came(time.Now())
	}
	return n, err
}

// unheard waits a while without the scheduler of Go.
func (p *Epoll) unheard(most int, d time.Duration) (int, error) {
	ms := (d + time.Millisecond - 1) / time.Millisecond
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(most), uintptr(ms), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// Close wakes Wait and frees the descriptors.
func (p *Epoll) Close() error {
	if p.closed.Swap(true) {
		return net.ErrClosed
	}
	_, _ = unix.Write(p.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // any value but 0 wakes
	p.mu.Lock()
	defer p.mu.Unlock()
	unix.Close(p.wake)
	return unix.Close(p.fd)
}
