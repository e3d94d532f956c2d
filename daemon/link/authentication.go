package link

import (
	"fmt"
	"time"

	"pc5d/daemon/keys"
	"pc5d/policy"
)

// Peer is an end of the link as its key proves it, never as a clear message claims it.
type Peer struct {
	Name        string             // application layer ID
	Fingerprint policy.Fingerprint // SHA-256 of the SubjectPublicKeyInfo
}

// Proof says how the peer of a session showed who it is.
type Proof uint8

const (
	ByCertificate  Proof = iota + 1 // tls13: a full authentication
	ByKeptKey                       // psk-dhe with the resumption key of an earlier session
	ByPreSharedKey                  // psk-dhe with a key of the provisioning, which is one for both ends
)

// String gives the word of status and log.
func (p Proof) String() string {
	switch p {
	case ByCertificate:
		return "certificate"
	case ByKeptKey:
		return "kept-key"
	case ByPreSharedKey:
		return "pre-shared-key"
	}
	return "none"
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
	// CertificateEnd tells from when on the peer's certificates are not admitted any more. It is
	// zero where a pin speaks for the key, and until Complete.
	CertificateEnd() time.Time
	// ExportKNRP makes K_NRP, bound to ctx. It fails until Complete.
	ExportKNRP(ctx []byte) (keys.KNRP, error)
	// Close ends the run and wipes what it kept. It may be called more than once.
	Close()
}

// Authentication makes handshakes for this node's identity.
type Authentication interface {
	Local() Peer
	// CertificateEnd tells from when on this node's own certificates are not admitted any more;
	// zero: nobody issued them.
	CertificateEnd() time.Time
	// Initiate starts the client half; the peer must be peer and own one of the pinned keys, or be
	// trusted by certificate. With no name any provisioned peer may answer.
	Initiate(peer string, pins []policy.Fingerprint) (Handshake, error)
	// Respond starts the server half; any provisioned peer may call.
	Respond() (Handshake, error)
	// InitiateUnpinned and RespondUnpinned take any key of a name for which none is pinned. The
	// handshake judges only whether the other end has the key: the caller has to judge the key
	// before it goes on.
	InitiateUnpinned(peer string) (Handshake, error)
	RespondUnpinned() (Handshake, error)
}

// PeerRefusedError says that the peer seems to have refused this end's credentials.
// It rests on an unauthenticated alert: a hint, not a fact.
type PeerRefusedError struct {
	Local  Peer
	Reason string
}

func (e *PeerRefusedError) Error() string {
	return fmt.Sprintf("the peer refused this end (a hint, anyone on the path can send it): %s: this end is %q with key %s; the peer's status says why: another pin there, or a certificate that is over, revoked or of another CA", e.Reason, e.Local.Name, e.Local.Fingerprint)
}
