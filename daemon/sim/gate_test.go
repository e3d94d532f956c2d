package sim_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"pc5d/daemon/pc5s"
	"pc5d/daemon/sim"
)

// TestT20_ProberOnTheNetwork: mallory has heard everything, but not bob's fingerprint. Whatever she
// makes of it, before, during and after the link, she gets no octet from him. (A request that is
// repeated as it was opens the gate again: who has seen it has seen bob's answer, too.)
func TestT20_ProberOnTheNetwork(t *testing.T) {
	for name, preShared := range map[string]bool{"certificate": false, "pre-shared": true} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, 20)
			p.bob.Gate, p.link.PreShared = true, preShared
			got := 0
			mallory := p.AddStranger("mallory", func(d sim.Datagram) { got += len(d.Octets) })
			p.establish()
			p.carries()
			r := rand.New(rand.NewPCG(20, 20))
			var request []byte
			probe := func() {
				for _, d := range p.Attacker().Heard() {
					if d.To != p.bob.Address {
						continue
					}
					d.From = mallory.Address
					_, sdu := clear(d)
					if sdu == nil { // protected: as it is
						p.Network.Inject(d)
					}
					from, to := 0, len(d.Octets)
					switch {
					case sdu == nil:
					case pc5s.MessageType(sdu[0]) == pc5s.MessageDirectLinkEstablishmentRequest:
						from, request = to-len(sdu), sdu
					default: // a response may hold a copy of the request
						from = bytes.Index(d.Octets, request)
						to = from + len(request)
					}
					for range 20 {
						changed := d
						changed.Octets = bytes.Clone(d.Octets)
						if to > from && from >= 0 {
							changed.Octets[from+r.IntN(to-from)] ^= 1 << r.IntN(8)
							p.Network.Inject(changed)
						}
					}
					p.Run(10 * time.Millisecond)
				}
			}
			probe()
			p.link.A.Down()
			p.Run(20 * time.Second)
			probe()
			if got != 0 {
				t.Errorf("mallory got %d octets", got)
			}
			p.link.A.Up()
			p.within(10*time.Second, "the link is back", p.link.Agreed)
			p.live()
		})
	}
}
