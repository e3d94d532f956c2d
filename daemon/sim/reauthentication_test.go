package sim_test

import (
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/sim"
	"pc5d/dataplane/underlay"
)

// TestReauthentication: eight hours after the last full authentication there is a new one, made by
// the initiator, or by the responder where the initiator does not. Traffic goes on meanwhile.
func TestReauthentication(t *testing.T) {
	for name, c := range map[string]struct {
		preShared, lazy bool
	}{"certificate": {}, "pre-shared": {preShared: true}, "initiator does not": {lazy: true}} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, 70)
			p.link.PreShared = c.preShared
			if c.lazy {
				p.alice.Timers.Reauthenticate, p.alice.Timers.ReauthenticateEnd = 0, 0
			}
			p.establish()
			p.Run(8*time.Hour - time.Minute)
			attempts := p.Attempts(p.alice)
			if attempts != 1 {
				t.Errorf("%d attempts before the time", attempts)
			}
			before := p.link.A.Agreement()
			// A packet of the responder that overtakes the accept is nobody's yet (R18).
			if lost := p.traffic(3 * time.Minute); lost > 1 {
				t.Errorf("%d packets lost", lost)
			}
			after := p.link.A.Agreement()
			if !p.link.Agreed() || after.RequestHash == before.RequestHash || after.Proof != before.Proof {
				t.Errorf("no new session: %v, then %v", before.Proof, after.Proof)
			}
			if c.lazy != (after.A.Name == "bob") {
				t.Errorf("%q made it", after.A.Name)
			}
			p.live()
		})
	}
}

// TestReauthentication_Prevented: somebody on the path lets no authentication through. The link ends
// an hour later: nobody keeps it alive who cannot prove anew who it is.
func TestReauthentication_Prevented(t *testing.T) {
	p := newPair(t, 71)
	p.establish()
	p.Run(8*time.Hour - time.Minute)
	p.Network.Filter = func(d sim.Datagram) []sim.Datagram {
		if _, sdu := clear(d); sdu != nil {
			return nil
		}
		return []sim.Datagram{d}
	}
	p.Run(59 * time.Minute)
	if !p.link.Agreed() {
		t.Fatal("the link did not live on while it was tried")
	}
	p.within(10*time.Minute, "both ends have ended it", func() bool { return !p.link.A.Established() && !p.link.B.Established() })
	p.Network.Filter = nil
	p.within(3*time.Minute, "the link is back", p.link.Agreed)
	if p.link.A.Agreement().Proof != link.ByCertificate {
		t.Errorf("by %v", p.link.A.Agreement().Proof)
	}
	p.live()
}

// TestReauthentication_LeavesAKey: the session that a full authentication made leaves both ends a key for
// the next establishment, as the first one did.
func TestReauthentication_LeavesAKey(t *testing.T) {
	p := newPair(t, 72)
	p.alice.Timers.Reauthenticate, p.bob.Timers.Reauthenticate = time.Minute, time.Minute
	p.establish()
	before := p.link.A.Agreement()
	p.Run(90 * time.Second)
	if after := p.link.A.Agreement(); after.RequestHash == before.RequestHash {
		t.Fatal("no new session")
	}
	p.rest()
	p.proof = link.ByKeptKey
	p.up()
}

// TestReauthentication_WhileStopping: the time for a new authentication comes while the daemon stops, and
// its peer does not answer. It waits for the end of the link and for nothing else.
func TestReauthentication_WhileStopping(t *testing.T) {
	p := newPair(t, 73)
	p.alice.Timers.Reauthenticate = time.Minute
	p.establish()
	p.Run(time.Minute - 200*time.Millisecond)
	p.Network.Cut(p.alice, p.bob)
	p.alice.Stop()
	steps, end := 0, p.Now()+5*time.Second
	for steps < 2000 && p.Now() < end && p.Step() {
		steps++
	}
	if p.Now() < end {
		t.Errorf("%d steps, and the time is still %v", steps, p.Now())
	}
	p.sound()
}

// TestReauthentication_AfterDown: the operator wants the link down, and the peer does not hear of it.
// The time for a new authentication comes meanwhile: it does not bring the link back.
func TestReauthentication_AfterDown(t *testing.T) {
	p := newPair(t, 74)
	p.alice.Timers.Reauthenticate = time.Minute
	p.establish()
	p.Run(time.Minute - 100*time.Millisecond)
	p.Network.Filter = func(d sim.Datagram) []sim.Datagram {
		if h, _, err := underlay.Parse(d.Octets); err == nil && h.LCID == underlay.SRB2 && d.From == p.alice.Address {
			return nil
		}
		return []sim.Datagram{d}
	}
	attempts := p.Attempts(p.alice)
	p.link.A.Down()
	p.Run(2 * time.Second) // then bob misses her, and calls
	if n := p.Attempts(p.alice) - attempts; n != 0 {
		t.Errorf("alice is %q and made %d attempts", p.link.A.State(), n)
	}
	p.sound()
}
