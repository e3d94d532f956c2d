package dataplane

import (
	"time"

	"pc5d/dataplane/record"
	"pc5d/dataplane/tundev"
)

const (
	// A packet that is put together has a slot; a link has a few, so that no peer takes all of them.
	partSlots, partSlotsOfLink = 16, 4
	// maxParts is how many parts a packet has at most: one of 65,535 octets has 58 of the base length.
	maxParts = 64
	// partsTogether is how long the parts of a packet may be apart (chosen).
	partsTogether = time.Second
)

// reassembly puts packets together that came in parts. One worker uses it.
type reassembly struct{ slots [partSlots]partSlot }

// partSlot is one packet. Its buffer grows when it is needed first and stays.
type partSlot struct {
	context *keyContext // nil: the slot is free
	first   record.Fragment
	begun   time.Time
	parts   [maxParts]span // that are there
	n       int
	class   uint8  // traffic class of the datagrams: what one of them was marked with goes for all
	missing int    // octets
	buffer  []byte // virtio-net header, packet
}

// span is where a part stands in its packet.
type span struct{ from, to int }

// find gives the slot of a packet, which may be a new one. Whoever has his share of the slots, or would
// need more than there are, loses the oldest.
func (r *reassembly) find(k *keyContext, f record.Fragment, now time.Time) *partSlot {
	var free, oldest, oldestOfLink *partSlot
	ofLink := 0
	for i := range r.slots {
		s := &r.slots[i]
		if s.context != nil && now.Sub(s.begun) > partsTogether {
			s.drop(DropIncomplete)
		}
		switch {
		case s.context == nil:
			free = s
			continue
		case s.context == k && s.first.ID == f.ID:
			return s
		case s.context.link == k.link:
			ofLink++
			oldestOfLink = s.older(oldestOfLink)
		}
		oldest = s.older(oldest)
	}
	switch {
	case ofLink >= partSlotsOfLink:
		free = oldestOfLink
	case free == nil:
		free = oldest
	}
	if free.context != nil {
		free.drop(DropIncomplete)
	}
	free.begin(k, f, now)
	return free
}

// older is the slot that began first.
func (s *partSlot) older(o *partSlot) *partSlot {
	if o == nil || s.begun.Before(o.begun) {
		return s
	}
	return o
}

func (s *partSlot) begin(k *keyContext, f record.Fragment, now time.Time) {
	s.context, s.first, s.begun, s.n, s.missing = k, f, now, 0, f.Total
	if need := tundev.HeaderLen + f.Total; cap(s.buffer) < need {
		s.buffer = make([]byte, need)
	}
}

func (s *partSlot) drop(reason Drop) {
	s.context.link.drops.add(reason, 1)
	s.context = nil
}

// add takes a part. It is false where the part contradicts another one, or is one too many: no sender of
// ours makes such (RFC 5722 for IPv6).
func (s *partSlot) add(f record.Fragment, part []byte, class uint8) bool {
	if f.Total != s.first.Total || f.Flags != s.first.Flags || s.n == maxParts {
		return false
	}
	to := f.Offset + len(part)
	for _, p := range s.parts[:s.n] {
		if f.Offset < p.to && p.from < to {
			return false
		}
	}
	s.parts[s.n] = span{f.Offset, to}
	s.n++
	if s.n == 1 || class&ecnMask == ce {
		s.class = class // RFC 3168, 5.3
	}
	s.missing -= len(part)
	copy(s.buffer[:cap(s.buffer)][tundev.HeaderLen+f.Offset:], part)
	return true
}

// part takes the current frame of a record, a part of a packet, and writes the packet that is whole.
func (r *receiver) part(k *keyContext, frames *record.Frames, got *delivered) {
	f, part, ok := frames.Fragment()
	if !ok {
		k.link.drops.add(DropBadFrame, 1)
		return
	}
	s := r.parts.find(k, f, r.engine.config.Now())
	if !s.add(f, part, r.class) {
		s.drop(DropBadFragment)
		return
	}
	if s.missing > 0 {
		return
	}
	s.context = nil
	r.assembled(k, s.buffer[:tundev.HeaderLen+f.Total], f.Flags, s.class, got)
}

// assembled writes a packet that was put together, behind room for its virtio-net header.
func (r *receiver) assembled(k *keyContext, b []byte, flags byte, class uint8, got *delivered) {
	packet := b[tundev.HeaderLen:]
	if reason, ok := k.admit(packet, class); !ok {
		k.link.drops.add(reason, 1)
		return
	}
	var h tundev.Header
	if flags&record.PartialChecksum != 0 {
		var ok bool
		if h, ok = partial(packet); !ok {
			k.link.drops.add(DropInnerMalformed, 1)
			return
		}
	}
	h.Put(b)
	if _, err := k.link.device.Write(b); err != nil {
		k.link.drops.add(deviceDrop(err), 1)
		return
	}
	got.packets++
	got.octets += len(packet)
}
