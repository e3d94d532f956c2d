package udp

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// fakeQueue is how many sends wait at a Fake that nobody reads; more are dropped, as a full
// socket buffer does.
const fakeQueue = 256

// firstPort is the first port that Listen chooses.
const firstPort = 49152

// Network connects Fakes by their addresses.
type Network struct {
	mu    sync.Mutex
	ends  map[netip.AddrPort]*Fake
	port  uint16 // the last one that Listen chose
	lossy func(from, to netip.AddrPort, datagram []byte) bool
	mark  func(class uint8) uint8
}

// NewNetwork makes an empty network.
func NewNetwork() *Network { return &Network{ends: make(map[netip.AddrPort]*Fake)} }

// Lose makes the network drop the datagrams for which drop is true.
func (n *Network) Lose(drop func(from, to netip.AddrPort, datagram []byte) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lossy = drop
}

// Mark lets the network change the traffic class of what it carries.
func (n *Network) Mark(mark func(class uint8) uint8) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mark = mark
}

func (n *Network) marked(class uint8) uint8 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.mark == nil {
		return class
	}
	return n.mark(class)
}

// Listen adds an end, at a free port where at has port 0. Each queue slot holds one Send.
func (n *Network) Listen(at netip.AddrPort) *Fake {
	f := &Fake{network: n, queue: make(chan parcel, fakeQueue), free: make(chan []byte, fakeQueue), done: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	f.local = at
	for at.Port() == 0 && (f.local.Port() == 0 || n.ends[f.local] != nil) {
		n.port = max(n.port+1, firstPort)
		f.local = netip.AddrPortFrom(at.Addr(), n.port)
	}
	n.ends[f.local] = f
	return f
}

func (n *Network) leave(f *Fake) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ends[f.local] == f {
		delete(n.ends, f.local)
	}
}

func (n *Network) find(from, to netip.AddrPort, b []byte) *Fake {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lossy != nil && n.lossy(from, to, b) {
		return nil
	}
	return n.ends[to]
}

// Fake is a Conn in memory. It reuses its buffers: steady traffic allocates nothing.
type Fake struct {
	network *Network
	local   netip.AddrPort
	queue   chan parcel
	free    chan []byte
	limit   atomic.Int64 // of a datagram; 0: none
	once    sync.Once
	done    chan struct{}
}

type parcel struct {
	from  netip.AddrPort
	data  []byte
	size  int
	class uint8
}

// SetLimit makes the end refuse longer datagrams, as a device with a small MTU does.
func (f *Fake) SetLimit(octets int) { f.limit.Store(int64(octets)) }

// Send implements Conn. Where the network is lossy each datagram goes alone.
func (f *Fake) Send(to netip.AddrPort, b []byte, size int, class uint8) error {
	if segments(b, size) == 0 {
		return ErrBatch
	}
	select {
	case <-f.done:
		return net.ErrClosed
	default:
	}
	if limit := int(f.limit.Load()); limit > 0 && min(size, len(b)) > limit {
		return ErrTooLong
	}
	f.network.mu.Lock()
	lossy := f.network.lossy != nil
	f.network.mu.Unlock()
	if !lossy {
		f.network.deliver(f.local, to, b, size, class)
		return nil
	}
	for len(b) > 0 {
		n := min(size, len(b))
		f.network.deliver(f.local, to, b[:n], n, class)
		b = b[n:]
	}
	return nil
}

// Answer implements Conn.
func (f *Fake) Answer(to netip.AddrPort, b []byte, _ Share) error { return f.Send(to, b, len(b), 0) }

func (n *Network) deliver(from, to netip.AddrPort, b []byte, size int, class uint8) {
	if end := n.find(from, to, b); end != nil {
		end.put(from, b, size, n.marked(class))
	}
}

// Inject delivers octets as one received buffer, from an address of the caller's choice.
func (f *Fake) Inject(from netip.AddrPort, b []byte, size int) { f.put(from, b, size, 0) }

func (f *Fake) put(from netip.AddrPort, b []byte, size int, class uint8) {
	var room []byte
	select {
	case room = <-f.free:
	default:
	}
	select {
	case f.queue <- parcel{from: from, data: append(room[:0], b...), size: size, class: class}:
	default:
	}
}

// Waiting is how many sends wait for Receive.
func (f *Fake) Waiting() int { return len(f.queue) }

// Receive implements Conn.
func (f *Fake) Receive(messages []Message, block bool) (int, error) {
	n := 0
	if block {
		select {
		case <-f.done:
			return 0, net.ErrClosed
		case p := <-f.queue:
			f.take(p, &messages[0])
			n = 1
		}
	}
	for n < len(messages) {
		select {
		case p := <-f.queue:
			f.take(p, &messages[n])
			n++
		default:
			return n, nil
		}
	}
	return n, nil
}

func (f *Fake) take(p parcel, m *Message) {
	m.Data = m.Buffer[:copy(m.Buffer, p.data)]
	m.Cut = len(m.Data) < len(p.data)
	m.Segment, m.From, m.Class = p.size, p.from, p.class
	select {
	case f.free <- p.data:
	default:
	}
}

// LocalAddr implements Conn.
func (f *Fake) LocalAddr() netip.AddrPort { return f.local }

// Offloads implements Conn.
func (f *Fake) Offloads() Offloads { return Offloads{Segment: true, Coalesce: true} }

// Close implements Conn.
func (f *Fake) Close() error {
	f.once.Do(func() {
		f.network.leave(f)
		close(f.done)
	})
	return nil
}
