package sim_test

import (
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/daemon/sim"
	"pc5d/dataplane/underlay"
)

// TestT13_Glare starts both ends at once, under every order in which what could happen at the
// same time can happen. Exactly one link remains, the same at both ends.
func TestT13_Glare(t *testing.T) {
	byEachProof(t, testGlare)
}

func testGlare(t *testing.T, by link.Proof) {
	depth := 6
	if full() {
		depth = 12
	}
	ways := sim.Explore(depth, func(choose func(int) int) {
		p := newPairBy(t, 1, by)
		p.start()
		p.Choose = choose
		p.link.A.Up()
		p.link.B.Up()
		p.settled()
		p.Close()
	})
	t.Logf("%d orders up to depth %d", ways, depth)
}

// TestT13_GlareSeeds does so with the other end later by any part of an establishment, with
// random delays and some loss.
func TestT13_GlareSeeds(t *testing.T) {
	byEachProof(t, testGlareSeeds)
}

func testGlareSeeds(t *testing.T, by link.Proof) {
	seeds := 30
	if full() {
		seeds = 500
	}
	for seed := range seeds {
		p := newPairBy(t, uint64(seed), by)
		p.Network.Conditions = sim.Conditions{Loss: 0.1 * float64(seed%3), MaxDelay: time.Duration(seed%5) * 10 * time.Millisecond}
		p.start()
		p.link.A.Up()
		p.Run(time.Duration(seed%10) * 4 * time.Millisecond)
		p.link.B.Up()
		p.within(30*time.Second, "a link", p.link.Agreed)
		p.EndFaults()
		p.settled()
		p.Close()
	}
}

// settled demands one link, which stays.
func (p *pair) settled() {
	p.t.Helper()
	p.Run(time.Second) // what is under way of a lost attempt may still make a responder, which expires
	p.within(20*time.Second, "exactly one link", func() bool {
		return p.link.Agreed() && p.Machines(p.alice) == 1 && p.Machines(p.bob) == 1
	})
	before := p.link.A.Agreement()
	p.never(5*time.Second, "another link", func() bool {
		return !p.link.Agreed() || p.link.A.Agreement() != before || p.Machines(p.alice) != 1 || p.Machines(p.bob) != 1
	})
	p.carries()
}

// TestT13_SpoofedRequest: requests that an attacker makes in bob's name, with the largest
// Nonce_1, do not end alice's own attempt.
func TestT13_SpoofedRequest(t *testing.T) {
	byEachProof(t, testSpoofedRequest)
}

func testSpoofedRequest(t *testing.T, by link.Proof) {
	p := newPairBy(t, 2, by)
	p.start()
	attempts := p.Attempts(p.alice)
	nonce, msb := [16]byte{0xFF, 0xFF, 0xFF, 0xFF}, uint8(0xFF)
	p.Network.Filter = func(d sim.Datagram) []sim.Datagram {
		if d.From != p.bob.Address {
			return []sim.Datagram{d}
		}
		request := &pc5s.DirectLinkEstablishmentRequest{
			SourceUserInfo: []byte("bob"), TargetUserInfo: []byte("alice"), Nonce1: &nonce, KNRPSessMSB: &msb,
			Capabilities: pc5s.Capabilities{0x20, 0x20, 0x80}, ProSeIdentifiers: pc5s.ServiceIdentifier("ip"),
			KeyEstablishmentInfo: []byte{0x10, 0, 0, 1, 0, 1, 1},
		}
		h := underlay.Header{Destination: underlay.Broadcast, Source: 0xBAD}
		p.Attacker().Replay(inClear(sim.Datagram{From: p.bob.Address, To: p.alice.Address}, h, pc5s.Marshal(request)))
		return []sim.Datagram{d}
	}
	p.up()
	if n := p.Attempts(p.alice) - attempts; n != 1 {
		t.Errorf("alice made %d attempts, want 1", n)
	}
	p.settled()
}
