package link

import (
	"io"
	"net/netip"
	"time"

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
	Pins       []policy.Fingerprint
	Signalling policy.Signalling
	UserPlane  policy.UserPlane
	LinkLocal  netip.Addr // this end's link-local IPv6 address inside the link
}

// Links finds the provisioning of an authenticated peer. It must not block.
type Links interface {
	Lookup(peer Peer, service string) (Link, bool)
}

// Config is everything that a Machine needs from outside.
type Config struct {
	Auth   Authentication
	Links  Links               // responder: the link's own policy, found after authentication
	Local  underlay.LayerTwoID // this attempt's own random L2 ID
	Rand   io.Reader           // nonces and identifiers; must not fail
	Timers Timers
}

// Timers are the procedure timers (TS 24.554, 12) and the retransmission schedule.
type Timers struct {
	Initial  time.Duration // first waiting time of every request timer
	Factor   float64       // each next one is so many times longer
	Max      time.Duration // and never longer than this
	Repeats  int           // repetitions of one message before the attempt ends
	Deadline time.Duration // of a responder's half-open attempt
	Release  time.Duration // how long a release request is repeated
	Quiet    time.Duration // a repeated message is answered at most once in this time
}

// ProfileIP is the default profile, for IP underlays. Extension: the standard's timers are
// made for a radio and take minutes to get through a lossy path.
func ProfileIP() Timers {
	return Timers{Initial: 300 * time.Millisecond, Factor: 1.5, Max: 2 * time.Second, Repeats: 8,
		Deadline: 20 * time.Second, Release: time.Second, Quiet: 100 * time.Millisecond}
}
