package daemon

import (
	"net/netip"
	"sync"

	"pc5d/dataplane/underlay"
)

// pair is the lookup key of a machine: both L2 IDs together, because links born of one
// broadcast request share the initiator's.
type pair struct{ local, peer underlay.LayerTwoID }

// demux finds the runner of a signalling datagram. Nothing that it looks at is believed: the
// machine verifies.
type demux struct {
	mu      sync.RWMutex
	byPair  map[pair]*runner
	byLocal map[underlay.LayerTwoID]*runner // every own L2 ID in use; nil: reserved
}

func newDemux() *demux {
	return &demux{byPair: map[pair]*runner{}, byLocal: map[underlay.LayerTwoID]*runner{}}
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

// reserve takes an own L2 ID out of circulation; false when it is in use.
func (d *demux) reserve(local underlay.LayerTwoID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, taken := d.byLocal[local]; taken {
		return false
	}
	d.byLocal[local] = nil
	return true
}

// add enters the runner of a reserved L2 ID.
func (d *demux) add(local underlay.LayerTwoID, r *runner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byLocal[local] = r
}

// bind enters a pair of L2 IDs as soon as the peer's is known.
func (d *demux) bind(local, peer underlay.LayerTwoID, r *runner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byPair[pair{local, peer}] = r
}

// remove gives an own L2 ID back; r is nil when it was only reserved.
func (d *demux) remove(local, peer underlay.LayerTwoID, r *runner) {
	d.mu.Lock()
	defer d.mu.Unlock()
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
