package link_test

import (
	"errors"
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/policy"
)

// issued is the authentication of an end whose own certificates, and its peers', end some time.
type issued struct {
	link.Authentication
	own, peers time.Time
}

func (a *issued) CertificateEnd() time.Time { return a.own }

func (a *issued) Initiate(peer string, pins []policy.Fingerprint) (link.Handshake, error) {
	h, err := a.Authentication.Initiate(peer, pins)
	return issuedHandshake{h, a.peers}, err
}

func (a *issued) Respond() (link.Handshake, error) {
	h, err := a.Authentication.Respond()
	return issuedHandshake{h, a.peers}, err
}

type issuedHandshake struct {
	link.Handshake
	end time.Time
}

func (h issuedHandshake) CertificateEnd() time.Time { return h.end }

// newCertified makes a pair that trusts by certificate: a's own ends at one time, b's at another.
func newCertified(t *testing.T, a, b time.Time) *pair {
	t.Helper()
	p := newPair(t)
	p.a.config.Auth, p.b.config.Auth = &issued{p.a.config.Auth, a, b}, &issued{p.b.config.Auth, b, a}
	p.a.link.Trust, p.b.link.Trust = policy.TrustCA, policy.TrustCA
	t.Cleanup(p.close)
	return p
}

// TestT16_CertificateEnds: a link ends with the first certificate of either end, at both ends, with
// a cause that passes; kept keys end with the peer's certificate, and nothing renews it.
func TestT16_CertificateEnds(t *testing.T) {
	const life = 3 * time.Minute
	for _, c := range []struct {
		name string
		a, b time.Duration
	}{{"the initiator's first", life, 2 * life}, {"the responder's first", 2 * life, life}} {
		t.Run(c.name, func(t *testing.T) {
			p := newCertified(t, epoch.Add(c.a), epoch.Add(c.b))
			p.establish(t)
			p.again(t)
			p.establish(t) // by a kept key, which carries the end on
			if len(p.sent) != 4 {
				t.Errorf("%d datagrams", len(p.sent))
			}
			if a, b := p.a.kept.entries[0].CertificateEnd, p.b.kept.entries[0].CertificateEnd; !a.Equal(epoch.Add(c.b)) || !b.Equal(epoch.Add(c.a)) {
				t.Errorf("kept keys end at %v and %v", a, b)
			}
			p.pass(epoch.Add(life - time.Second).Sub(p.now))
			if p.a.machine.State() != link.Established || p.b.machine.State() != link.Established {
				t.Fatalf("released too early: %v, %v", p.a.machine.Failed(), p.b.machine.Failed())
			}
			p.pass(3 * time.Second)
			if p.a.machine.State() != link.Released || p.b.machine.State() != link.Released {
				t.Fatalf("a is %v, b is %v", p.a.machine.State(), p.b.machine.State())
			}
			passing := false
			for _, err := range []error{p.a.machine.Failed(), p.b.machine.Failed()} {
				var released *link.ReleasedByPeerError
				var ended *link.CertificateEndError
				passing = passing || errors.As(err, &released) && released.Cause == pc5s.CauseConnectionNotAvailable
				if !errors.As(err, &ended) && !errors.Is(err, link.ErrOwnCertificateEnd) && !passing {
					t.Errorf("ended by %v", err)
				}
			}
		})
	}
}

// TestT16_PinnedHasNoEnd: where pins speak for both, no certificate counts.
func TestT16_PinnedHasNoEnd(t *testing.T) {
	p := newCertified(t, epoch.Add(time.Minute), time.Time{})
	p.a.link.Trust, p.b.link.Trust = policy.TrustPin, policy.TrustPin
	p.b.config.Auth.(*issued).peers = time.Time{}
	p.establish(t)
	p.pass(3 * time.Minute)
	if p.a.machine.State() != link.Established || p.b.machine.State() != link.Established {
		t.Errorf("released: %v, %v", p.a.machine.Failed(), p.b.machine.Failed())
	}
}

// TestT16_OwnCertificateHasEnded: an end whose own certificate is over begins nothing and answers
// nobody where certificates decide.
func TestT16_OwnCertificateHasEnded(t *testing.T) {
	p := newCertified(t, epoch, epoch.Add(time.Hour))
	m := link.NewInitiator(p.a.config, p.a.link, p.b.address)
	if err := m.Start(p.now); !errors.Is(err, link.ErrOwnCertificateEnd) {
		t.Errorf("as initiator: %v", err)
	}
	p = newCertified(t, epoch.Add(time.Hour), epoch)
	p.run()
	var rejected *link.RejectedError
	if !errors.As(p.b.machine.Failed(), &rejected) || !rejected.Local || p.b.installed != nil {
		t.Errorf("as responder: %v", p.b.machine.Failed())
	}
}

// TestT16_KeptKeyOfAPin: a key of the time when a pin spoke for the peer does not stand where
// certificates decide, nor the other way round.
func TestT16_KeptKeyOfAPin(t *testing.T) {
	for _, now := range []policy.Trust{policy.TrustCA, policy.TrustPin} {
		p := newCertified(t, epoch.Add(time.Hour), epoch.Add(time.Hour))
		p.establish(t)
		p.again(t)
		if now == policy.TrustCA {
			p.b.kept.entries[0].CertificateEnd = time.Time{}
		}
		p.a.link.Trust, p.b.link.Trust = now, now
		p.establish(t)
		if p.messages(t)[pc5s.MessageDirectLinkAuthenticationRequest] == 0 {
			t.Errorf("%v: resumed", now)
		}
	}
}

// TestT16_Recheck: a peer that is not admitted any more loses its link, with a cause that tells it
// not to come back, and an attempt at any step ends.
func TestT16_Recheck(t *testing.T) {
	refusal := &link.RefusedError{Peer: "bob", Refusal: link.RefusedRevoked, Reason: "its certificate is revoked"}
	refuse := func(link.Peer) error { return refusal }
	p := newCertified(t, epoch.Add(time.Hour), epoch.Add(time.Hour))
	p.establish(t)
	p.a.machine.Recheck(p.now, func(peer link.Peer) error {
		if peer.Name != "bob" {
			t.Errorf("asked about %v", peer)
		}
		return nil
	})
	p.drain(p.a)
	if p.a.machine.State() != link.Established {
		t.Fatal("an admitted peer lost its link")
	}
	p.a.machine.Recheck(p.now, refuse)
	p.drain(p.a)
	p.pass(2 * time.Second)
	var released *link.ReleasedByPeerError
	if p.a.machine.State() != link.Released || p.a.machine.Failed() != error(refusal) || !errors.As(p.b.machine.Failed(), &released) || released.Cause != pc5s.CauseNotAllowed {
		t.Errorf("a %v (%v), b %v", p.a.machine.State(), p.a.machine.Failed(), p.b.machine.Failed())
	}
	for step := 1; ; step++ { // of a resumption: the kept key names the peer from the first message on
		p := newCertified(t, epoch.Add(time.Hour), epoch.Add(time.Hour))
		p.establish(t)
		p.again(t)
		p.start()
		for range step {
			if len(p.queue) > 0 {
				p.arrive()
			}
		}
		over := p.settled()
		p.a.machine.Recheck(p.now, refuse)
		p.drain(p.a)
		if s := p.a.machine.State(); s != link.Released && s != link.Releasing {
			t.Errorf("after %d datagrams a is %v", step, s)
		}
		if p.b.machine != nil {
			p.b.machine.Recheck(p.now, refuse)
			p.drain(p.b)
			if s := p.b.machine.State(); s != link.Released && s != link.Releasing {
				t.Errorf("after %d datagrams b is %v", step, s)
			}
		}
		if over {
			break
		}
	}
}
