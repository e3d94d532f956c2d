package daemon

import (
	"net/netip"
	"sync"
	"time"
)

// ways is how many slots a source may have its own in.
const ways = 4

// sources has the allowance of each source, and of the node. It is one block
// of fixed slots, in sets of four; a keyed hash that nobody outside can compute chooses the set.
//
// A source that is not there takes the slot of its set with the most left, and goes on with what is
// left there. So sources that share a slot have one source's allowance together, however often they
// displace each other, and none of them is shut out for ever: each next token is for whoever comes
// first. To take all slots of one set somebody needs addresses by the thousand, because he cannot
// aim; then the limit of the node is what holds.
type sources struct {
	handshakes, tls Rate

	mu    sync.Mutex // guards the fields below
	epoch time.Time
	hash  *addressHash
	slots []slot
	node  allowance
}

// slot is the allowance of a source. A tag is not the whole source: two with the same one, which
// nobody can find, would share.
type slot struct {
	tag  uint64
	left allowance
}

func newSources(l Limits, now time.Time, key [32]byte) *sources {
	return &sources{handshakes: l.Handshakes, tls: l.TLS, epoch: now, hash: newAddressHash(key), slots: make([]slot, max(l.Sources, ways)/ways*ways)}
}

// busy tells whether the source of an address has no more than half left, or the node nothing.
func (s *sources) busy(now time.Time, from netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.atLocked(now)
	slot, _ := s.findLocked(from)
	return !s.handshakes.hasHalf(slot.left, at) || !s.tls.has(s.node, at)
}

// take takes one of a source's handshakes.
func (s *sources) take(now time.Time, from netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	slot, tag := s.findLocked(from)
	if !s.handshakes.take(&slot.left, s.atLocked(now)) {
		return false
	}
	slot.tag = tag
	return true
}

// giveBack gives one back to a source that authenticated, unless another has its slot by now.
func (s *sources) giveBack(from netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slot, tag := s.findLocked(from); slot.tag == tag {
		s.handshakes.giveBack(&slot.left)
	}
}

// takeTLS takes one of the node's full authentications.
func (s *sources) takeTLS(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tls.take(&s.node, s.atLocked(now))
}

// takeBoth takes one of a source's handshakes and one of the node's full authentications.
func (s *sources) takeBoth(now time.Time, from netip.Addr) bool {
	if !s.take(now, from) {
		return false
	}
	if s.takeTLS(now) {
		return true
	}
	s.giveBack(from)
	return false
}

func (s *sources) atLocked(now time.Time) int64 { return int64(now.Sub(s.epoch)) }

// findLocked returns the slot of an address, or the one that it would take.
func (s *sources) findLocked(from netip.Addr) (*slot, uint64) {
	source := sourcePrefix(from)
	place, tag := s.hash.sum(source.Addr(), source.Bits())
	tag |= 1 // 0 is nobody's
	first := int(place % uint64(len(s.slots)/ways) * ways)
	set := s.slots[first : first+ways]
	best := &set[0]
	for i := range set {
		if set[i].tag == tag {
			return &set[i], tag
		}
		if set[i].left < best.left {
			best = &set[i]
		}
	}
	return best, tag
}
