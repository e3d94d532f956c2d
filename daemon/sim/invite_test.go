package sim_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pc5d/daemon/sim"
)

// newInvited is a pair whose link nobody has written down; alice invites, and bob joins.
func newInvited(t *testing.T, seed uint64) *pair {
	t.Helper()
	p := newPair(t, seed)
	p.link.ByInvite()
	p.start()
	return p
}

// invite gives alice's token.
func (p *pair) invite() string {
	p.t.Helper()
	token, err := p.link.A.Invite()
	if err != nil {
		p.t.Fatal(err)
	}
	return token
}

func (p *pair) join(e *sim.End, token string) {
	p.t.Helper()
	if err := e.Join(token); !errors.Is(err, context.Canceled) {
		p.t.Fatal(err)
	}
}

// TestT41_C1_InviteUnderLoss: a token makes a link over a path that loses, doubles and delays, both ends
// agree on everything, and the invite is used.
func TestT41_C1_InviteUnderLoss(t *testing.T) {
	for seed := uint64(1); seed <= 12; seed++ {
		p := newInvited(t, seed)
		p.Network.Conditions = sim.Conditions{Loss: 0.1 * float64(seed%4), MaxDelay: time.Duration(seed%5) * 20 * time.Millisecond}
		p.join(p.link.B, p.invite())
		p.within(2*time.Minute, "the link is established", p.link.Agreed)
		if n := p.alice.OpenInvites(); n != 0 {
			t.Errorf("seed %d: %d invites are open", seed, n)
		}
		p.Network.Conditions = sim.Conditions{}
		p.carries()
	}
}

// TestT41_T92_CrashWhilePairing kills either end again and again while they pair: in the end they are
// paired, by the one token, without another word of an operator. At every moment there is the open
// invite or the link on alice's disk, never both.
func TestT41_T92_CrashWhilePairing(t *testing.T) {
	for seed := uint64(1); seed <= 40; seed++ {
		p := newInvited(t, seed)
		p.Network.Conditions = sim.Conditions{MaxDelay: 20 * time.Millisecond}
		p.join(p.link.B, p.invite())
		for round := range 3 {
			p.Run(time.Duration(1+(seed*37+uint64(round)*61)%150) * time.Millisecond)
			victim := p.alice
			if (seed+uint64(round))%2 == 0 {
				victim = p.bob
			}
			victim.Kill()
			p.Run(time.Duration(seed%7) * 10 * time.Millisecond)
			startAll(t, victim)
			if linked := p.link.A.State() != ""; linked == (p.alice.OpenInvites() == 1) {
				t.Fatalf("seed %d: link %v, %d open invites", seed, linked, p.alice.OpenInvites())
			}
		}
		p.within(3*time.Minute, "the link is established", p.link.Agreed)
		if n := p.alice.OpenInvites(); n != 0 {
			t.Errorf("seed %d: %d invites are open", seed, n)
		}
		p.carries()
	}
}

// TestT41_T05_ReplayedPairing: what was heard of a pairing makes nothing when it is played again, while
// another invite is open, after a restart, and from other addresses.
func TestT41_T05_ReplayedPairing(t *testing.T) {
	p := newInvited(t, 7)
	carol := p.AddHost("carol")
	other := p.Connect(p.alice, carol, "ip")
	other.ByInvite()
	p.join(p.link.B, p.invite())
	p.within(10*time.Second, "the link is established", p.link.Agreed)
	if _, err := other.A.Invite(); err != nil {
		t.Fatal(err)
	}
	heard := p.Attacker().Heard()
	before := p.link.A.Agreement()
	for range 10 {
		p.Attacker().Replay(heard...)
		for _, d := range heard {
			p.Attacker().Elsewhere(d)
		}
		p.Run(time.Second)
	}
	if p.link.A.Agreement() != before || other.A.State() != "" || p.alice.OpenInvites() != 1 {
		t.Errorf("carol's link is %q, %d invites are open", other.A.State(), p.alice.OpenInvites())
	}
	p.alice.Kill()
	startAll(t, p.alice)
	p.Attacker().Replay(heard...)
	p.within(time.Minute, "the link comes back", p.link.Agreed)
	if other.A.State() != "" || p.alice.OpenInvites() != 1 {
		t.Errorf("after a restart carol's link is %q, %d invites are open", other.A.State(), p.alice.OpenInvites())
	}
	p.sound()
}

// TestT41_AlteredPairing: whoever alters a joiner's messages on their way gets no link in anybody's
// name; the joiner's next attempt serves.
func TestT41_AlteredPairing(t *testing.T) {
	for bit := 0; bit < 8*160; bit += 13 {
		p := newInvited(t, uint64(100+bit))
		altered := false
		p.Network.Filter = func(d sim.Datagram) []sim.Datagram {
			if !altered && d.From == p.bob.Address && bit/8 < len(d.Octets) {
				altered = true
				d.Octets = append([]byte(nil), d.Octets...)
				d.Octets[bit/8] ^= 0x80 >> (bit % 8)
			}
			return []sim.Datagram{d}
		}
		p.join(p.link.B, p.invite())
		p.within(3*time.Minute, "the link is established", p.link.Agreed)
	}
}

// TestT41_SameRun: one seed pairs, crashes and comes back in exactly the same way each time, although
// links come and go while the daemons run.
func TestT41_SameRun(t *testing.T) {
	run := func() string {
		p := newInvited(t, 42)
		p.Network.Conditions = sim.Conditions{Loss: 0.1, MaxDelay: 30 * time.Millisecond}
		p.join(p.link.B, p.invite())
		p.Run(80 * time.Millisecond)
		p.bob.Kill()
		startAll(t, p.bob)
		p.within(2*time.Minute, "the link is established", p.link.Agreed)
		p.carries()
		return p.Trace.Hash()
	}
	if once, again := run(), run(); once != again {
		t.Errorf("two runs differ: %s and %s", once, again)
	}
}
