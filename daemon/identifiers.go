package daemon

import (
	"crypto/rand"
	"encoding/binary"

	"pc5d/daemon/link"
	"pc5d/dataplane/underlay"
)

// Reserve draws a random own L2 ID that is not in use, and reserves it.
func (n *Node) Reserve() underlay.LayerTwoID {
	var b [4]byte
	for {
		rand.Read(b[1:]) // never fails: the runtime ends the process instead
		id := underlay.LayerTwoID(binary.BigEndian.Uint32(b[:]))
		if id.Assignable() && n.demux.reserve(id) {
			return id
		}
	}
}

// Taken tells whether an L2 ID is one of this node's own, or a peer's.
func (n *Node) Taken(id underlay.LayerTwoID) bool { return n.demux.taken(id) }

// Claim enters the K_NRP-sess ID that a peer's command named.
func (n *Node) Claim(name link.Name) bool { return n.demux.take(name) }
