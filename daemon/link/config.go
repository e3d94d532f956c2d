package link

import (
	"cmp"
	"io"
	"net/netip"
	"slices"
	"time"

	"pc5d/daemon/keys"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// Role is the part of this end: A sent the establishment request, B answers it.
type Role uint8

const (
	RoleA Role = iota + 1
	RoleB
)

func (r Role) String() string {
	if r == RoleA {
		return "initiator"
	}
	return "responder"
}

// Link is what the provisioning says about one link.
type Link struct {
	Name       string
	Peer       string
	Service    string
	Trust      policy.Trust
	Pins       []policy.Fingerprint // that stand for the peer; with TrustFirstUse none before the first use, with TrustCA none
	Signalling policy.Signalling
	UserPlane  policy.UserPlane
	LinkLocal  netip.Addr // this end's link-local IPv6 address inside the link
	Pace       Pace
	// Authenticate says whether a kept key may stand for a full authentication.
	Authenticate policy.Authenticate
	// Anew lets this attempt authenticate in full, whatever is kept; it keeps a key as any other.
	Anew bool
	// PrivateIdentity keeps the names out of the clear request.
	PrivateIdentity bool
	// PrivatePort says that the owner sends from another port with each UseName.
	PrivatePort bool
}

// Admits tells whether an authenticated peer may have the link. Where it is trusted by certificate,
// authentication was the judge, and all links to one peer are trusted in one way.
func (l Link) Admits(p Peer) bool {
	return p.Name == l.Peer && (l.Trust == policy.TrustCA || slices.Contains(l.Pins, p.Fingerprint))
}

// Pace is what the provisioning of a link says about times; 0 leaves the node's.
type Pace struct {
	KeepAlive   time.Duration // T5084
	Inactivity  time.Duration // maximum inactivity period
	RekeyEvery  time.Duration
	UpdateEvery time.Duration // T5090
}

// apply gives the timers of a link.
func (p Pace) apply(t Timers) Timers {
	t.T5084 = cmp.Or(p.KeepAlive, t.T5084)
	t.Inactivity = cmp.Or(p.Inactivity, t.Inactivity)
	t.RekeyEvery = cmp.Or(p.RekeyEvery, t.RekeyEvery)
	t.T5090 = cmp.Or(p.UpdateEvery, t.T5090)
	return t
}

// Links finds the provisioning of an authenticated peer. It must not block.
type Links interface {
	Lookup(peer Peer, service string) (Link, bool)
}

// Identifiers knows what has to be unique at this node. Its methods must not block.
type Identifiers interface {
	// Reserve takes a random own L2 ID that nothing else uses; DropName gives it back.
	Reserve() underlay.LayerTwoID
	// Taken tells whether an L2 ID is one of this node's own, or a peer's of another link.
	Taken(underlay.LayerTwoID) bool
	// Claim enters what a peer's command named; false: another responder to the same request
	// has the same low half.
	Claim(Name) bool
}

// Config is everything that a Machine needs from outside.
type Config struct {
	Auth        Authentication
	Links       Links               // responder: the link's own policy, found after authentication
	Local       underlay.LayerTwoID // this attempt's own random L2 ID
	Identifiers Identifiers
	Kept        KeptKeys    // nil: none are kept
	Enrolment   Enrolment   // nil: only whose key is pinned gets a link
	Invite      keys.Secret // initiator: of the invite to prove, wiped by Start; none: nothing is proved
	Rand        io.Reader   // nonces and identifiers; must not fail
	Timers      Timers
}
