package sim_test

import (
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/sim"
	"pc5d/dataplane/underlay"
)

// TestR21_NothingVisibleStays: after an identifier update no datagram carries an identifier that
// one before it carried, and no packet is lost on the way.
func TestR21_NothingVisibleStays(t *testing.T) {
	p := newPair(t, 1)
	p.alice.Timers.RekeyMin, p.bob.Timers.RekeyMin = 0, 0
	p.establish()
	for round := range 4 {
		before := names(p.link)
		p.link.Ends()[round%2].UpdateIdentifiers()
		if lost := p.traffic(2 * time.Second); lost != 0 {
			t.Errorf("%d packets were lost", lost)
		}
		heard := len(p.Attacker().Heard())
		p.carries()
		for _, d := range p.Attacker().Heard()[heard:] {
			h, _, err := underlay.Parse(d.Octets)
			if err != nil || before[h.Source] || before[h.Destination] {
				t.Errorf("round %d: %s after the update", round, sim.Describe(d.Octets))
			}
		}
	}
	p.live()
}

// names are the L2 IDs that a link goes by.
func names(l *sim.Link) map[underlay.LayerTwoID]bool {
	seen := map[underlay.LayerTwoID]bool{}
	for _, n := range []link.Name{l.A.LayerTwo(), l.B.LayerTwo()} {
		seen[n.Local], seen[n.Peer] = true, true
	}
	return seen
}

// TestT13_T94_CrossedUpdates lets both ends re-key and update at once, again and again, under loss.
// Nobody fights for ever: the ends agree afterwards.
func TestT13_T94_CrossedUpdates(t *testing.T) {
	seeds := 10
	if full() {
		seeds = 100
	}
	for seed := range seeds {
		p := newPair(t, uint64(seed))
		p.establish()
		p.Network.Conditions = sim.Conditions{Loss: 0.1 * float64(seed%4), MaxDelay: time.Duration(seed%7) * 20 * time.Millisecond}
		for round := range 8 {
			p.link.A.UpdateIdentifiers()
			p.Run(time.Duration(round*seed%30) * time.Millisecond)
			p.link.B.UpdateIdentifiers()
			p.link.A.Rekey()
			p.traffic(time.Second)
		}
		p.live()
	}
}
