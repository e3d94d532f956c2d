package auth

import (
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"pc5d/daemon/link"
	"pc5d/policy"
)

// maxKeys bounds what is remembered of one name; a CA gives a name one key at a time (chosen).
const maxKeys = 4

// verdictLife is how long a judgement of the same certificates by the same authorities counts (chosen):
// whoever sends a recorded request again makes this end ask, and is to cost no signature each time.
const verdictLife = 10 * time.Second

// credentials are what a peer was judged by. Without a chain a pin spoke for it.
type credentials struct {
	peer  link.Peer
	by    *Authorities // of that moment
	chain []*x509.Certificate
	usage x509.ExtKeyUsage
	end   time.Time // from when on the chain is not admitted any more
}

// verdict is the last judgement of credentials.
type verdict struct {
	by *Authorities
	at time.Time
	finding
}

// good tells whether it still counts; a clock that was set back ends it, too.
func (v verdict) good(by *Authorities, now time.Time) bool {
	age := now.Sub(v.at)
	return v.by == by && age >= 0 && age < verdictLife
}

// remembered is what a peer showed last, and what was last thought of it.
type remembered struct {
	credentials
	verdict
}

// shown remembers the newest chain of each peer that is trusted by certificate, so that it can be
// judged again when CAs, lists or denied keys change: for its live links and for its kept keys. Only
// a complete handshake adds to it, so names are provisioned ones. After a restart it is empty.
type shown struct {
	mu    sync.Mutex // guards the field below
	names map[string][]*remembered
}

// note keeps what a complete handshake judged.
func (s *shown) note(c credentials) {
	if len(c.chain) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names = map[string][]*remembered{}
	}
	others := slices.DeleteFunc(s.names[c.peer.Name], func(o *remembered) bool { return o.peer == c.peer })
	if len(others) >= maxKeys {
		others = others[1:] // the oldest
	}
	s.names[c.peer.Name] = append(others, &remembered{credentials: c})
}

// judge judges what a peer showed last.
func (s *shown) judge(p link.Peer, by *Authorities, now time.Time) finding {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.names[p.Name]
	i := slices.IndexFunc(of, func(r *remembered) bool { return r.peer == p })
	if i < 0 {
		return found(link.RefusedNeverShown, "its certificates are not known any more")
	}
	r := of[i]
	if !r.verdict.good(by, now) {
		_, f := by.judge(now, r.chain, r.usage)
		r.verdict = verdict{by, now, f}
	}
	return r.finding
}

// Reload reads CAs, lists, denied keys and the own certificates anew; handshakes go by them from then
// on. On an error nothing has changed. What was admitted before is the caller's to ask Admits about.
func (a *Authentication) Reload() error {
	identity, authorities := a.identity.Load(), a.authorities.Load()
	var err error
	if a.renew != nil {
		if identity, err = a.renew(identity); err != nil {
			return err
		}
	}
	if a.load != nil {
		if authorities, err = a.load(); err != nil {
			return err
		}
	}
	a.identity.Store(identity)
	a.authorities.Store(authorities)
	return nil
}

// Admits tells whether a peer that authenticated before would be admitted now. Pins do not change
// while a node runs, so that of a pinned key only its denial is asked; the error is a
// *link.RefusedError.
func (a *Authentication) Admits(p link.Peer) error {
	authorities := a.authorities.Load()
	if !a.certified(p.Name) {
		if authorities.denied[p.Fingerprint] {
			return &link.RefusedError{Peer: p.Name, Expected: a.trust.Pinned(p.Name), Presented: p.Fingerprint, Refusal: link.RefusedDenied, Reason: "its key stands in node.deny"}
		}
		return nil
	}
	f := a.shown.judge(p, authorities, a.now())
	if !f.bad() {
		return nil
	}
	return &link.RefusedError{Peer: p.Name, Trust: policy.TrustCA, Presented: p.Fingerprint, Refusal: f.refusal, Reason: f.reason}
}
