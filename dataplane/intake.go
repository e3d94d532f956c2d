package dataplane

import (
	"pc5d/dataplane/record"
	"pc5d/dataplane/tundev"
)

const (
	// maxRead is the longest packet that a TUN hands over.
	maxRead = 65535
	// front is the room before each packet: the virtio-net header of its read and the header of a SEGMENT
	// frame. The payload over IPv4 and TCP with timestamps then is at a multiple of 64.
	front = record.SegmentHeaderLen
	// back is the room behind each packet: the padding of the last record.
	back = 128

	largeLen = front + maxRead + back
	smallLen = 33 * 64 // a power of two would put all slots into the same few places of a cache

	// moreReads is how many packets a device is asked for at least when it had more than was expected.
	moreReads = 4
	// mostReads is how often a link is read in its turn: more than it may have wait.
	mostReads = 2 * smallOfLink

	// What may wait in all, and of one link.
	largeSlots, largeOfLink = 56, 44
	smallSlots, smallOfLink = 2048, 640
)

// waiting is a packet that was read from a TUN, in a slot.
type waiting struct {
	link   *Link
	header tundev.Header
	buffer []byte // front, packet, back
	n      int    // length of the packet
	next   *waiting
}

func (w *waiting) packet() []byte { return w.buffer[front : front+w.n] }

// slots are buffers of one length. They are made when they are needed first, some at once.
type slots struct {
	length, left int // left: not made yet
	many         int // are made at once
	free         *waiting
	n            int // of free
}

// take gives a slot; nil: all are in use.
func (s *slots) take() *waiting {
	if s.free == nil {
		s.grow()
	}
	w := s.free
	if w != nil {
		s.free, w.next = w.next, nil
		s.n--
	}
	return w
}

func (s *slots) grow() {
	n := min(s.many, s.left)
	s.left -= n
	made, room := make([]waiting, n), make([]byte, n*s.length)
	for i := range made {
		made[i].buffer = room[i*s.length : (i+1)*s.length : (i+1)*s.length]
		s.give(&made[i])
	}
}

// available is how many are not in use.
func (s *slots) available() int { return s.n + s.left }

func (s *slots) give(w *waiting) {
	w.link, w.next = nil, s.free
	s.free = w
	s.n++
}

// intake reads the TUN devices until they are empty or enough waits, so that a packet that may overtake
// is found. One worker uses it.
type intake struct {
	large, small slots
	queue        fairQueue
	moderation   moderation
	thinned      uint64 // queue.sent when a packet was dropped last

	// The large slots of a read, and what it is told and tells.
	blanks  [tundev.MostReads]*waiting
	buffers [tundev.MostReads][]byte
	lengths [tundev.MostReads]int
}

func newIntake() intake {
	return intake{large: slots{length: largeLen, left: largeSlots, many: 1}, small: slots{length: smallLen, left: smallSlots, many: 64}}
}

// room is how many packets of this link may be read now. The last slots are for links of which nothing
// waits: the poller may name those that take all that comes free before them each time.
func (in *intake) room(l *Link) int {
	large, small := in.large.available(), in.small.available()
	n := min(large-1, small-1, largeOfLink-l.large, smallOfLink-l.small)
	if l.large+l.small == 0 {
		n = max(n, min(large, small, 1))
	}
	return n
}

// drain reads what waits at a device, as many packets at once first as were there the last time and one more, because a
// read that finds nothing is not free; and not for ever where most are dropped. It gives the error of the
// device, if any.
func (in *intake) drain(l *Link, ring *tundev.Ring) error {
	most := min(l.found+1, tundev.MostReads)
	l.found = 0
	for left := mostReads; left > 0; most = min(max(moreReads, 2*most), tundev.MostReads) {
		n := min(in.room(l), most)
		if n <= 0 {
			in.thin()
			return nil
		}
		left -= n
		err := in.read(l, ring, n)
		for i, w := range in.blanks[:n] {
			l.found += min(in.lengths[i], 1)
			if in.lengths[i] == 0 || !in.accept(l, w, in.lengths[i]-tundev.HeaderLen) {
				in.large.give(w)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// read reads n times into blanks, of which there must be as many.
func (in *intake) read(l *Link, ring *tundev.Ring, n int) error {
	for i := range n {
		w := in.large.take()
		in.blanks[i], in.buffers[i] = w, w.buffer[front-tundev.HeaderLen:front+maxRead]
	}
	return ring.Read(l.device, in.buffers[:n], in.lengths[:n])
}

// accept queues a packet, or drops it. It tells whether the slot is in use from now on.
func (in *intake) accept(l *Link, w *waiting, n int) bool {
	w.header, w.n = tundev.ReadHeader(w.buffer[front-tundev.HeaderLen:]), n
	if w.n < smallest {
		l.drops.add(DropInnerMalformed, 1)
		return false
	}
	if manyfold(w.packet()) {
		l.drops.add(DropInnerDestination, 1)
		return false
	}
	return in.keep(l, w)
}

// keep queues a packet, a small one in a slot of its own. It tells whether it stays in this one.
func (in *intake) keep(l *Link, w *waiting) bool {
	small := !w.header.Super() && front+w.n <= smallLen
	if small {
		s := in.small.take()
		s.header, s.n = w.header, copy(s.buffer[front:], w.packet())
		w = s
		l.small++
		in.moderation.small++
	} else {
		l.large++
		in.moderation.large++
	}
	w.link = l
	in.queue.put(w)
	return !small
}

// release ends a packet.
func (in *intake) release(w *waiting) {
	if len(w.buffer) == smallLen {
		w.link.small--
		in.small.give(w)
		return
	}
	w.link.large--
	in.large.give(w)
}

// thin tells the longest flow to slow down: more waits than has room, so that the TUN is a queue that
// nobody can overtake in. A sender hears of it when what waits has left: only then the next one.
func (in *intake) thin() {
	if f := in.queue.longest(); f != nil && in.queue.sent-in.thinned > uint64(f.octets) {
		f.lost, in.thinned = true, in.queue.sent
	}
}

// discard empties the queue of a device whose link is down: one slot takes what nobody looks at.
func (in *intake) discard(l *Link, ring *tundev.Ring) error {
	w := in.large.take()
	if w == nil {
		return nil
	}
	defer in.large.give(w)
	for i := range in.buffers {
		in.buffers[i] = w.buffer
	}
	for range downTurns {
		err := ring.Read(l.device, in.buffers[:], in.lengths[:])
		for _, n := range in.lengths {
			l.drops.add(DropLinkDown, min(n, 1))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
