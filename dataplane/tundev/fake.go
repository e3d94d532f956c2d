package tundev

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
)

// fakeQueue is how many packets wait in each direction of a Fake, as a TUN's txqueuelen.
const fakeQueue = 500

// Fake is a Device in memory. The test is the host's network stack: Deliver routes a packet to
// the interface, Packets gives what the link wrote to it. It reuses its buffers.
type Fake struct {
	name   string
	in     chan []byte
	free   chan []byte
	out    chan []byte
	mu     sync.Mutex
	closed bool
	writes atomic.Int64
	poller *FakePoller
	key    uint32
}

// NewFake makes a device.
func NewFake(name string) *Fake {
	return &Fake{name: name, in: make(chan []byte, fakeQueue), free: make(chan []byte, fakeQueue), out: make(chan []byte, fakeQueue)}
}

// Name implements Device.
func (f *Fake) Name() string { return f.name }

// Deliver queues a packet for Read; false when the queue is full.
func (f *Fake) Deliver(packet []byte) bool {
	return f.DeliverAs(Header{}, packet)
}

// DeliverAs is Deliver with a virtio-net header: a super-packet, or a checksum that is left to do.
func (f *Fake) DeliverAs(h Header, packet []byte) bool {
	b := append(f.room(), make([]byte, HeaderLen)...)
	h.Put(b)
	b = append(b, packet...)
	select {
	case f.in <- b:
	default:
		return false
	}
	f.mu.Lock()
	p := f.poller
	f.mu.Unlock()
	if p != nil {
		p.poke()
	}
	return true
}

// Waiting is how many packets wait for Read.
func (f *Fake) Waiting() int { return len(f.in) }

// Writes counts the calls of Write.
func (f *Fake) Writes() int { return int(f.writes.Load()) }

// Packets gives the packets written to the device, without their header: super-packets are cut and
// checksums done, as the host would.
func (f *Fake) Packets() <-chan []byte { return f.out }

// Recycle gives a packet back that came from Packets.
func (f *Fake) Recycle(packet []byte) {
	select {
	case f.free <- packet:
	default:
	}
}

func (f *Fake) room() []byte {
	select {
	case b := <-f.free:
		return b[:0]
	default:
		return nil
	}
}

// Read implements Device.
func (f *Fake) Read(b []byte) (int, error) {
	if f.isClosed() {
		return 0, os.ErrClosed
	}
	select {
	case packet := <-f.in:
		n := copy(b, packet)
		f.Recycle(packet)
		return n, nil
	default:
		return 0, ErrAgain
	}
}

// Write implements Device.
func (f *Fake) Write(b []byte) (int, error) {
	if f.isClosed() {
		return 0, os.ErrClosed
	}
	if len(b) < HeaderLen {
		return 0, errors.New("tundev: no virtio-net header")
	}
	f.writes.Add(1)
	h, packet := ReadHeader(b), b[HeaderLen:]
	if h.Super() {
		return len(b), Segment(h, packet, f.put)
	}
	whole := append(f.room(), packet...)
	if err := h.Complete(whole); err != nil {
		return 0, err
	}
	return len(b), f.queue(whole)
}

func (f *Fake) put(packet []byte) error { return f.queue(append(f.room(), packet...)) }

func (f *Fake) queue(packet []byte) error {
	select {
	case f.out <- packet:
		return nil
	default:
		return ErrAgain
	}
}

func (f *Fake) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

// Offloads implements Device: the test decides what it delivers.
func (f *Fake) Offloads() Offloads { return Offloads{Header: true, TCP: true, UDP: true, Takes: true} }

// Close implements Device.
func (f *Fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

// FakePoller is a Poller over Fakes.
type FakePoller struct {
	mu      sync.Mutex
	devices []*Fake
	closed  bool
	wake    chan struct{} // capacity 1
}

// NewFakePoller makes a poller.
func NewFakePoller() *FakePoller { return &FakePoller{wake: make(chan struct{}, 1)} }

func (p *FakePoller) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Add implements Poller.
func (p *FakePoller) Add(d Device, key uint32) error {
	f, ok := d.(*Fake)
	if !ok {
		return errors.New("tundev: the fake poller polls fakes only")
	}
	f.mu.Lock()
	f.poller, f.key = p, key
	f.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.devices = append(p.devices, f)
	p.poke()
	return nil
}

// Remove implements Poller.
func (p *FakePoller) Remove(d Device) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, f := range p.devices {
		if Device(f) == d {
			p.devices = append(p.devices[:i:i], p.devices[i+1:]...)
			return nil
		}
	}
	return errors.New("tundev: device is not polled here")
}

// Wait implements Poller.
func (p *FakePoller) Wait(keys []uint32, block bool) (int, error) {
	for {
		n, closed := p.ready(keys)
		if closed {
			return 0, net.ErrClosed
		}
		if n > 0 || !block {
			return n, nil
		}
		<-p.wake
	}
}

func (p *FakePoller) ready(keys []uint32) (n int, closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.devices {
		if n < len(keys) && len(f.in) > 0 {
			keys[n] = f.key
			n++
		}
	}
	return n, p.closed
}

// Close implements Poller.
func (p *FakePoller) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.poke()
	return nil
}
