package daemon

import (
	"maps"
	"net/netip"
	"sync"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/dataplane/underlay"
)

// pair is the lookup key of a machine: both L2 IDs together, because links born of one
// broadcast request share the initiator's.
type pair struct{ local, peer underlay.LayerTwoID }

// recipient takes signalling datagrams: a runner, or a gathering.
type recipient interface{ deliver(packet) bool }

// demux finds the recipient of a signalling datagram. Nothing that it looks at is believed: the
// machine verifies.
type demux struct {
	mu      sync.RWMutex
	byPair  map[pair]recipient
	byLocal map[underlay.LayerTwoID]recipient // every own L2 ID in use; nil: reserved
	peers   map[underlay.LayerTwoID]int       // how many pairs have this peer
	claims  map[claim]underlay.LayerTwoID     // who took a K_NRP-sess ID at an own L2 ID
}

// claim is what two responders to one request must not both have.
type claim struct {
	local   underlay.LayerTwoID
	session keys.SessionID
}

func newDemux() *demux {
	return &demux{
		byPair: map[pair]recipient{}, byLocal: map[underlay.LayerTwoID]recipient{},
		peers: map[underlay.LayerTwoID]int{}, claims: map[claim]underlay.LayerTwoID{},
	}
}

// find returns the recipient for a header, nil if there is none.
func (d *demux) find(h underlay.Header) recipient {
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

// add enters the recipient of a reserved L2 ID.
func (d *demux) add(local underlay.LayerTwoID, r recipient) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byLocal[local] = r
}

// bind enters a pair of L2 IDs as soon as the peer's is known. Nothing is proved by then: a pair that
// another recipient has stays that one's.
func (d *demux) bind(local, peer underlay.LayerTwoID, r recipient) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := pair{local, peer}
	if _, there := d.byPair[key]; there {
		return
	}
	d.peers[peer]++
	d.byPair[key] = r
}

// remove gives an own L2 ID back; r is nil when it was only reserved.
func (d *demux) remove(local, peer underlay.LayerTwoID, r recipient) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byLocal[local] == r {
		delete(d.byLocal, local)
		maps.DeleteFunc(d.claims, func(c claim, _ underlay.LayerTwoID) bool { return c.local == local })
	}
	d.unbindLocked(local, peer, r)
}

// unbind takes a pair out; where it is not the runner's nothing happens.
func (d *demux) unbind(local, peer underlay.LayerTwoID, r recipient) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unbindLocked(local, peer, r)
}

func (d *demux) unbindLocked(local, peer underlay.LayerTwoID, r recipient) {
	key := pair{local, peer}
	if owner, there := d.byPair[key]; !there || owner != r {
		return
	}
	delete(d.byPair, key)
	if d.peers[peer]--; d.peers[peer] == 0 {
		delete(d.peers, peer)
	}
}

// taken tells whether an L2 ID is one of ours or of a peer.
func (d *demux) taken(id underlay.LayerTwoID) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	_, own := d.byLocal[id]
	return own || d.peers[id] > 0
}

// take enters what a peer's command named; false: another peer has it.
func (d *demux) take(n link.Name) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := claim{n.Local, n.Session}
	if owner, there := d.claims[c]; there && owner != n.Peer {
		return false
	}
	d.claims[c] = n.Peer
	return true
}

// free gives back what was taken when its keys end: a link that is re-keyed for years keeps no
// more than it uses.
func (d *demux) free(n link.Name) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := (claim{n.Local, n.Session}); d.claims[c] == n.Peer {
		delete(d.claims, c)
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
