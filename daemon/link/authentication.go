package link

import (
	"fmt"
	"strings"

	"pc5d/daemon/keys"
	"pc5d/policy"
)

// Peer is an end of the link as its key proves it, never as a clear message claims it.
type Peer struct {
	Name        string             // application layer ID
	Fingerprint policy.Fingerprint // SHA-256 of the SubjectPublicKeyInfo
}

// Handshake is one run of Direct Authentication and Key Establishment, both roles.
// It does no I/O: flights go in, flights come out. After an error it can only be closed.
type Handshake interface {
	// Feed takes a whole flight of the peer and returns the next flight of this end.
	// Feed(nil) makes an initiator's first flight. A flight returned together with an error
	// tells the peer why and may be sent.
	Feed(flight []byte) (reply []byte, err error)
	// Complete reports whether this end has nothing more to receive.
	Complete() bool
	// Peer returns the authenticated peer; it is the zero value until Complete.
	Peer() Peer
	// ExportKNRP makes K_NRP, bound to ctx. It fails until Complete.
	ExportKNRP(ctx []byte) (keys.KNRP, error)
	// Close ends the run and wipes what it kept. It may be called more than once.
	Close()
}

// Authentication makes handshakes for this node's identity.
type Authentication interface {
	Local() Peer
	// Initiate starts the client half; the peer must be peer and own one of the pinned keys. With
	// no name any provisioned peer may answer.
	Initiate(peer string, pins []policy.Fingerprint) (Handshake, error)
	// Respond starts the server half; any provisioned peer may call.
	Respond() (Handshake, error)
	// InitiateUnpinned and RespondUnpinned take any key of a name for which none is pinned. The
	// handshake judges only whether the other end has the key: the caller has to judge the key
	// before it goes on.
	InitiateUnpinned(peer string) (Handshake, error)
	RespondUnpinned() (Handshake, error)
}

// RefusedError says that this end refused the peer's credentials.
type RefusedError struct {
	Peer      string
	Expected  []policy.Fingerprint
	Presented policy.Fingerprint
	Reason    string
}

func (e *RefusedError) Error() string {
	expected := make([]string, len(e.Expected))
	for i, fp := range e.Expected {
		expected[i] = fp.String()
	}
	if len(expected) == 0 {
		expected = []string{"no key"}
	}
	return fmt.Sprintf("peer %q refused: %s: expected %s, presented %s", e.Peer, e.Reason, strings.Join(expected, " or "), e.Presented)
}

// PeerRefusedError says that the peer seems to have refused this end's credentials.
// It rests on an unauthenticated alert: a hint, not a fact.
type PeerRefusedError struct {
	Local  Peer
	Reason string
}

func (e *PeerRefusedError) Error() string {
	return fmt.Sprintf("the peer refused this end (a hint, anyone on the path can send it): %s: this end is %q with key %s; compare it with the pin at the peer", e.Reason, e.Local.Name, e.Local.Fingerprint)
}
