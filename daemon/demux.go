package daemon

import (
	"errors"
	"net/netip"
	"sync"

	"pc5d/dataplane/underlay"
)

const (
	maxHalfOpen          = 512 // responders whose peer is not authenticated yet
	maxHalfOpenPerSource = 8
)

var errHalfOpen = errors.New("too many unfinished establishments")

// pair is the lookup key of a machine: both L2 IDs together, because links born of one
// broadcast request share the initiator's.
type pair struct{ local, peer underlay.LayerTwoID }

// conversation names a half-open responder before its peer knows its L2 ID.
type conversation struct {
	from netip.AddrPort
	peer underlay.LayerTwoID
	tag  [8]byte
}

// demux finds the runner of a signalling datagram. Nothing that it looks at is believed: the
// machine verifies.
type demux struct {
	mu       sync.RWMutex
	byPair   map[pair]*runner
	byLocal  map[underlay.LayerTwoID]*runner // every own L2 ID in use
	halfOpen map[conversation]*runner
	sources  map[netip.Prefix]int // half-open responders per source (/32, /64)
}

func newDemux() *demux {
	return &demux{
		byPair: map[pair]*runner{}, byLocal: map[underlay.LayerTwoID]*runner{},
		halfOpen: map[conversation]*runner{}, sources: map[netip.Prefix]int{},
	}
}

// find returns the runner for a header, nil if there is none.
func (d *demux) find(h underlay.Header) *runner {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if r := d.byPair[pair{h.Destination, h.Source}]; r != nil {
		return r
	}
	return d.byLocal[h.Destination]
}

// waiting returns the half-open responder of a conversation.
func (d *demux) waiting(c conversation) *runner {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.halfOpen[c]
}

// add enters an initiator, or says that its L2 ID is taken.
func (d *demux) add(local underlay.LayerTwoID, r *runner) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byLocal[local] != nil {
		return false
	}
	d.byLocal[local] = r
	return true
}

// admit enters a half-open responder under the limits.
func (d *demux) admit(c conversation, local underlay.LayerTwoID, r *runner) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	source := sourcePrefix(c.from.Addr())
	if len(d.halfOpen) >= maxHalfOpen || d.sources[source] >= maxHalfOpenPerSource || d.byLocal[local] != nil {
		return errHalfOpen
	}
	d.halfOpen[c] = r
	d.sources[source]++
	d.byLocal[local] = r
	d.byPair[pair{local, c.peer}] = r
	return nil
}

// bind enters the pair of an initiator whose peer's L2 ID is now known.
func (d *demux) bind(local, peer underlay.LayerTwoID, r *runner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byPair[pair{local, peer}] = r
}

// settle takes a responder out of the half-open ones: its peer is authenticated, or it ended.
func (d *demux) settle(r *runner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settleLocked(r)
}

func (d *demux) settleLocked(r *runner) {
	if r.conversation == nil || d.halfOpen[*r.conversation] != r {
		return
	}
	delete(d.halfOpen, *r.conversation)
	source := sourcePrefix(r.conversation.from.Addr())
	if d.sources[source]--; d.sources[source] == 0 {
		delete(d.sources, source)
	}
}

// remove forgets a runner that has ended.
func (d *demux) remove(local, peer underlay.LayerTwoID, r *runner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settleLocked(r)
	if d.byLocal[local] == r {
		delete(d.byLocal, local)
	}
	if key := (pair{local, peer}); d.byPair[key] == r {
		delete(d.byPair, key)
	}
}

// sourcePrefix is the unit in which unknown senders are counted.
func sourcePrefix(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // cannot fail for these lengths
	return p
}
