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
	blank        *waiting // the large slot for the next read; nil: all are in use
	queue        fairQueue
	thinned      uint64 // queue.sent when a packet was dropped last
}

func newIntake() intake {
	return intake{large: slots{length: largeLen, left: largeSlots, many: 1}, small: slots{length: smallLen, left: smallSlots, many: 64}}
}

// ready makes the blank, and tells whether it is for this link. The last slots are for links of which
// nothing waits: the poller may name those that take all that comes free before them each time.
func (in *intake) ready(l *Link) bool {
	if in.blank == nil {
		in.blank = in.large.take()
	}
	large, small := in.large.available(), in.small.available() // beside the blank
	if l.large+l.small == 0 {
		return in.blank != nil && small > 0
	}
	return in.blank != nil && large > 0 && small > 1 && l.large < largeOfLink && l.small < smallOfLink
}

// drain reads what waits at a device. It gives the error of the device, if any.
func (in *intake) drain(l *Link) error {
	for in.ready(l) {
		w := in.blank
		n, err := l.device.Read(w.buffer[front-tundev.HeaderLen : front+maxRead])
		if err != nil {
			return err
		}
		w.header, w.n = tundev.ReadHeader(w.buffer[front-tundev.HeaderLen:]), n-tundev.HeaderLen
		if w.n < smallest {
			l.drops.add(DropInnerMalformed, 1)
			continue
		}
		if manyfold(w.packet()) {
			l.drops.add(DropInnerDestination, 1)
			continue
		}
		in.keep(l, w)
	}
	in.thin()
	return nil
}

// keep queues the packet of the blank, a small one in a slot of its own.
func (in *intake) keep(l *Link, w *waiting) {
	if !w.header.Super() && front+w.n <= smallLen {
		s := in.small.take()
		s.header, s.n = w.header, copy(s.buffer[front:], w.packet())
		w = s
		l.small++
	} else {
		in.blank = nil
		l.large++
	}
	w.link = l
	in.queue.put(w)
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

// discard empties the queue of a device whose link is down.
func (in *intake) discard(l *Link) error {
	for range downBudget {
		if in.blank == nil {
			in.blank = in.large.take()
		}
		if in.blank == nil {
			return nil
		}
		if _, err := l.device.Read(in.blank.buffer); err != nil {
			return err
		}
		l.drops.add(DropLinkDown, 1)
	}
	return nil
}
