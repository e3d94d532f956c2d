package udp

import (
	"errors"
	"net/netip"
)

const (
	// MaxSend is the most octets that one Send may carry.
	MaxSend = 65507
	// MaxSegments is the most datagrams that one Send may carry (the kernel's 64 before 6.9).
	MaxSegments = 64
	// BufferLen is the room that a Message needs so that no coalesced buffer is cut.
	BufferLen = 65536
)

// ErrBatch says that Send got more than it may carry, or a size that does not fit.
var ErrBatch = errors.New("udp: batch exceeds 65507 octets or 64 datagrams")

// ErrTooLong says that datagrams are longer than the path takes, as far as this host knows, and no router
// cuts them: they carry DF.
var ErrTooLong = errors.New("udp: the datagrams are longer than the path takes")

// Share is a part of a socket's send buffer: one of so many.
type Share int

// ErrBusy says that an answer would have to wait.
var ErrBusy = errors.New("udp: too much waits to be sent")

// Conn is one UDP socket.
type Conn interface {
	// Send sends b as datagrams of size octets each, the last one maybe shorter, to one endpoint and in
	// order, all with one traffic class. It may block while the socket's buffer is full. ErrTooLong: some
	// of them did not leave.
	Send(to netip.AddrPort, b []byte, size int, class uint8) error
	// Answer sends one datagram to a stranger, or returns ErrBusy where more than a share of the
	// socket's buffer is in use. It never waits.
	Answer(to netip.AddrPort, b []byte, most Share) error
	// Receive fills messages from the first on with what arrived. Where nothing did, it blocks, or
	// gives 0 at once. After Close it returns net.ErrClosed.
	Receive(messages []Message, block bool) (n int, err error)
	LocalAddr() netip.AddrPort
	// Offloads tells what the kernel does for us now.
	Offloads() Offloads
	Close() error
}

// Offloads are the kernel's batch functions in use.
type Offloads struct{ Segment, Coalesce bool }

// Message is one received buffer: one datagram or several of one sender.
type Message struct {
	Buffer  []byte         // the caller's; BufferLen octets
	Data    []byte         // part of Buffer; valid until the next Receive
	Segment int            // size of each datagram in Data, the last may be shorter
	From    netip.AddrPort // an IPv4 sender has an IPv4 address
	Class   uint8          // traffic class of all: DSCP and ECN; 0 where the kernel does not tell
	Cut     bool           // the kernel had more than the buffer holds: nothing in Data is to be used
}

// NewMessages makes n messages with buffers.
func NewMessages(n int) []Message {
	m := make([]Message, n)
	room := make([]byte, n*BufferLen)
	for i := range m {
		m[i].Buffer = room[i*BufferLen : (i+1)*BufferLen : (i+1)*BufferLen]
	}
	return m
}

// Datagrams walks the datagrams of one message.
type Datagrams struct {
	rest    []byte
	size    int
	current []byte
}

// Datagrams starts a walk. An absent or odd segment size means one datagram.
func (m *Message) Datagrams() Datagrams {
	if m.Cut {
		return Datagrams{}
	}
	size := m.Segment
	if size <= 0 || size > len(m.Data) {
		size = len(m.Data)
	}
	return Datagrams{rest: m.Data, size: size}
}

// Next goes to the next datagram.
func (d *Datagrams) Next() bool {
	if len(d.rest) == 0 {
		return false
	}
	n := min(d.size, len(d.rest))
	d.current, d.rest = d.rest[:n:n], d.rest[n:]
	return true
}

// Datagram is the current datagram, part of the message.
func (d *Datagrams) Datagram() []byte { return d.current }

// segments is the number of datagrams of a batch; 0 where the batch is not allowed.
func segments(b []byte, size int) int {
	if size <= 0 || len(b) == 0 || len(b) > MaxSend {
		return 0
	}
	n := (len(b) + size - 1) / size
	if n > MaxSegments {
		return 0
	}
	return n
}
