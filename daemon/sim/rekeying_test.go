package sim_test

import (
	"testing"
	"time"

	"pc5d/daemon/sim"
)

// hasty makes both ends re-key after a time.
func (p *pair) hasty(every time.Duration) {
	for _, h := range []*sim.Host{p.alice, p.bob} {
		h.Timers.RekeyEvery, h.Timers.RekeyMin, h.Timers.KeyEnd = every, time.Second, every+time.Minute
	}
}

// traffic lets both ends send for a while, and returns how many packets were lost.
func (p *pair) traffic(d time.Duration) (lost int) {
	p.t.Helper()
	sent, delivered := p.Packets()
	for range d / (10 * time.Millisecond) {
		p.link.A.Send(sim.IPv4, 200)
		p.link.B.Send(sim.IPv6, 200)
		p.Run(10 * time.Millisecond)
	}
	p.Run(time.Second)
	p.sound()
	afterSent, afterDelivered := p.Packets()
	return afterSent - sent - (afterDelivered - delivered)
}

// TestT54_NoPayloadLost: keys change every few seconds under traffic, started by either end or by
// both at once, and no packet is lost.
func TestT54_NoPayloadLost(t *testing.T) {
	for seed := range 20 {
		p := newPair(t, uint64(seed))
		p.hasty(3 * time.Second)
		p.Network.MaxDelay = time.Duration(seed) * 3 * time.Millisecond
		if seed%3 == 1 {
			p.alice.Timers.RekeyEvery = time.Hour
		}
		p.establish()
		before := p.link.A.Agreement()
		if lost := p.traffic(20 * time.Second); lost != 0 {
			t.Errorf("seed %d: %d packets were lost", seed, lost)
		}
		if n := p.alice.Status(p.link.A).Rekeyings; n < 3 || p.link.A.Agreement().RequestHash == before.RequestHash {
			t.Errorf("seed %d: %d re-keyings in 20 s", seed, n)
		}
		if p.Attempts(p.alice) != 1 {
			t.Errorf("seed %d: the link was made anew", seed)
		}
	}
}

// TestT54_T90_UnderLoss: under 30 % loss keys still change, or the link is made anew; what is
// sent is never under keys that ended, and the ends agree afterwards.
func TestT54_T90_UnderLoss(t *testing.T) {
	seeds := 5
	if full() {
		seeds = 100
	}
	for seed := range seeds {
		p := newPair(t, uint64(seed))
		p.hasty(2 * time.Second)
		p.establish()
		p.Network.Conditions = sim.Conditions{Loss: 0.3, Duplicate: 0.1, MaxDelay: 100 * time.Millisecond}
		p.traffic(20 * time.Second)
		p.live()
	}
}

// TestT54_RestartInTheMiddle kills either end after each step of a re-keying.
func TestT54_RestartInTheMiddle(t *testing.T) {
	for i := range 2 {
		for step := range 40 {
			p := newPair(t, 1)
			p.hasty(3 * time.Second)
			p.bob.Timers.RekeyEvery = time.Hour
			p.establish()
			p.Run(3*time.Second - 20*time.Millisecond)
			for range step {
				p.Step()
			}
			victim := p.link.Ends()[i]
			victim.Host.Kill()
			startAll(t, victim.Host)
			p.within(20*time.Second, "the link is back", p.link.Agreed)
			p.carries()
			p.Close()
		}
	}
}

// TestT54_ResponseAfterTheGrace: the response to a re-keying comes when the old keys are gone
// already.
func TestT54_ResponseAfterTheGrace(t *testing.T) {
	for away := time.Duration(0); away < 14*time.Second; away += 500 * time.Millisecond {
		p := newPair(t, 2)
		p.hasty(3 * time.Second)
		p.alice.Timers.Grace = 2 * time.Second
		p.bob.Timers.RekeyEvery = time.Hour
		p.establish()
		switched := func() bool { return p.link.A.Agreement() != p.link.B.Agreement() }
		p.within(5*time.Second, "alice switches first", switched)
		p.Network.Cut(p.alice, p.bob)
		p.Run(away)
		p.Network.Heal()
		p.Run(20 * time.Second)
		p.live()
	}
}
