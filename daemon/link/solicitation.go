package link

import (
	"net/netip"
	"time"

	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// Solicitation is one establishment request that several may answer (TS 24.554, 7.2.2.1): it is
// sent to a broadcast address and names no target. Each responder that answers gets a machine of
// its own, which goes on as UE_A; they share the request, Nonce_1 and, until their first
// identifier update, the L2 ID. Which link it is for turns out when the responder is
// authenticated.
//
// The request context stays open until T5080 has ended. Like a Machine it does no I/O and is not
// safe for concurrent use.
type Solicitation struct {
	first *Machine // carries the request and repeats it; it answers nobody
}

// NewSolicitation makes a request for a service that offers what l allows; l names no peer.
func NewSolicitation(cfg Config, l Link, endpoint netip.AddrPort) *Solicitation {
	l.Name, l.Peer, l.Pins = "", "", nil
	return &Solicitation{first: NewInitiator(cfg, l, endpoint)}
}

// Start sends the request.
func (s *Solicitation) Start(now time.Time) error { return s.first.Start(now) }

// Advance repeats the request.
func (s *Solicitation) Advance(now time.Time) { s.first.Advance(now) }

// Deadline tells when Advance wants to be called; zero: the request context has ended.
func (s *Solicitation) Deadline() time.Time { return s.first.Deadline() }

// Next returns the next effect; only Send and Exchanged matter.
func (s *Solicitation) Next() (Effect, bool) { return s.first.Next() }

// Close ends the request context; machines that it made go on.
func (s *Solicitation) Close() { s.first.Abandon(ErrCancelled) }

// Answer takes a datagram from an address that no machine of this request has yet. Only an
// authentication request that carries the request's own tag makes a machine; everything else is
// a Drop and leaves nothing.
func (s *Solicitation) Answer(now time.Time, from netip.AddrPort, datagram []byte) (*Machine, error) {
	if s.first.State() != Requested {
		return nil, DropState
	}
	r := *s.first.run
	m := &Machine{
		cfg: s.first.cfg, link: s.first.link, role: RoleA, state: Requested, local: s.first.local, peer: underlay.Broadcast,
		endpoint: from, parsed: s.first.parsed, run: &r, sequence: s.first.sequence, deadline: after(now, s.first.cfg.Timers.HalfOpen),
	}
	if err := m.Receive(now, from, datagram); err != nil {
		return nil, err
	}
	if m.state != Auth {
		m.Abandon(ErrCancelled)
		return nil, DropState
	}
	return m, nil
}

// meet finds the link of a responder to a request that named nobody.
func (m *Machine) meet() bool {
	if m.link.Peer != "" {
		return true
	}
	l, ok := m.cfg.Links.Lookup(m.identity, pc5s.ServiceName(m.parsed.ProSeIdentifiers))
	if !ok {
		return false
	}
	m.link = l
	m.cfg.Timers = l.Pace.apply(m.cfg.Timers)
	return true
}
