package dataplane

import "pc5d/dataplane/udp"

const (
	// receiveMessages is how many buffers one receive may fill.
	receiveMessages = 16
	// largeMessages and smallMessages are how many wait at most: some megabytes, and at an added port, of which
	// there may be many, a part of that.
	largeMessages, smallMessages = 56, 3072
	addedPart                    = 16
	smallMessage                 = 1536
	// batchMessages and batchOctets are how much of it is opened before the socket is asked again: one send
	// of full records, and the next where a super-packet needed two.
	batchMessages, batchOctets = 64, 80 << 10
)

// inbox takes what a socket has without opening it, so that a record that may overtake is found. One
// worker uses it.
type inbox struct {
	blanks       []udp.Message // with buffers for the next receive
	large, small buffers
	ring         []udp.Message // what waits, from head on
	head, n      int
	batch        []udp.Message // what was taken last
	taken        uint64        // octets, in all
	thinned      uint64        // taken when a record was dropped last
	turn         uint64        // octets that wait at most
}

// buffers of one length are made when they are needed first.
type buffers struct {
	free   [][]byte
	length int
	left   int // not made yet
}

// take gives a buffer; nil: all are in use.
func (b *buffers) take() []byte {
	if n := len(b.free); n > 0 {
		buffer := b.free[n-1]
		b.free = b.free[:n-1]
		return buffer
	}
	if b.left == 0 {
		return nil
	}
	b.left--
	return make([]byte, b.length)
}

func (b *buffers) give(buffer []byte) { b.free = append(b.free, buffer) }

// open makes the tables, a part of the whole. They are for a worker only: an engine that somebody else drives has none.
func (in *inbox) open(part int) {
	blanks, large, small := max(2, receiveMessages/part), largeMessages/part, smallMessages/part
	in.blanks = make([]udp.Message, blanks)
	in.large = buffers{length: udp.BufferLen, left: blanks + large}
	in.small = buffers{length: smallMessage, left: small}
	in.ring = make([]udp.Message, blanks+large+small)
	in.turn = uint64(large) * udp.BufferLen
	in.batch = make([]udp.Message, 0, batchMessages)
}

// receive gives what the socket has; where nothing waits here it blocks.
func (in *inbox) receive(conn udp.Conn) ([]udp.Message, error) {
	ready := 0
	for i := range in.blanks {
		if in.blanks[i].Buffer == nil {
			in.blanks[i].Buffer = in.large.take()
		}
		if in.blanks[i].Buffer != nil {
			in.blanks[i], in.blanks[ready] = in.blanks[ready], in.blanks[i]
			ready++
		}
	}
	if ready == 0 {
		return nil, nil
	}
	n, err := conn.Receive(in.blanks[:ready], in.n == 0)
	return in.blanks[:n], err
}

// keep lets messages of receive wait, small ones in a buffer of their own.
func (in *inbox) keep(messages []udp.Message) {
	for i := range messages {
		m := &messages[i]
		kept := *m
		if small := in.room(m); small != nil {
			kept.Buffer, kept.Data = small, small[:copy(small, m.Data)]
		} else {
			m.Buffer = nil
		}
		in.ring[(in.head+in.n)%len(in.ring)] = kept
		in.n++
	}
}

func (in *inbox) room(m *udp.Message) []byte {
	if m.Cut || len(m.Data) > smallMessage {
		return nil
	}
	return in.small.take()
}

// next takes the messages that waited longest, as many as are opened together.
func (in *inbox) next() []udp.Message {
	in.batch = in.batch[:0]
	for octets := 0; in.n > 0 && len(in.batch) < batchMessages && octets < batchOctets; in.n-- {
		m := in.ring[in.head]
		in.head = (in.head + 1) % len(in.ring)
		in.batch = append(in.batch, m)
		octets += len(m.Data)
	}
	return in.batch
}

// release ends the messages of next.
func (in *inbox) release() {
	for i := range in.batch {
		m := &in.batch[i]
		in.taken += uint64(len(m.Data))
		if len(m.Buffer) == smallMessage {
			in.small.give(m.Buffer)
		} else {
			in.large.give(m.Buffer)
		}
	}
}

// thin tells whether a record is to be dropped, so that its sender slows down: more waits in the socket
// than has room here. A sender hears of it when what waits has left: only then the next one.
func (in *inbox) thin() bool {
	if in.n == 0 || in.large.left+len(in.large.free) > 0 && in.small.left+len(in.small.free) > 0 {
		return false
	}
	if in.taken-in.thinned < in.turn {
		return false
	}
	in.thinned = in.taken
	return true
}
