package tundev

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// waitEvents is the most devices that one Wait reports.
const waitEvents = 64

// wakeKey is the key of the descriptor that ends Wait; no device has it.
const wakeKey = ^uint32(0)

// Epoll is the Linux Poller.
type Epoll struct {
	fd, wake int
	events   [waitEvents]unix.EpollEvent // of the goroutine that waits
	closed   atomic.Bool
	mu       sync.RWMutex // held for reading while fd is in use
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
	timeout := 0
	if block {
		timeout = -1
	}
	for {
		if p.closed.Load() {
			return 0, net.ErrClosed
		}
		n, err := unix.EpollWait(p.fd, p.events[:min(len(keys), waitEvents)], timeout)
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
