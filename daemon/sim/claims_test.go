package sim_test

import (
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/pc5s"
	"pc5d/daemon/sim"
)

// TestC2_T10_KeysStolenLater: an attacker has recorded an establishment and then gets both
// long-term keys. With them he answers and asks in the recorded conversations again; nothing that
// was recorded goes on, because the ephemeral keys are gone.
func TestC2_T10_KeysStolenLater(t *testing.T) {
	p := newPair(t, 1)
	p.establish()
	p.carries()
	heard := p.Attacker().Heard()
	for _, victim := range []*sim.Host{p.alice, p.bob} {
		victim.Kill()
	}
	thief := p.AddEvilPeer("thief")
	thief.Steal(p.bob, "bob")
	for _, d := range heard {
		if d.From == p.alice.Address {
			thief.Hear(d, p.alice)
			p.Run(time.Millisecond)
		}
	}
	if thief.Got[pc5s.MessageDirectLinkSecurityModeComplete] > 0 || thief.Authenticated() {
		t.Error("the recorded handshake went on with new ephemeral keys")
	}
	if thief.Got[pc5s.MessageDirectLinkAuthenticationResponse] == 0 {
		t.Error("the thief did not even try")
	}
}

// TestC11_LostState: with its state directory gone an end costs its peer one full authentication
// and no more.
func TestC11_LostState(t *testing.T) {
	p := newPair(t, 2)
	p.establish()
	attempts := p.Attempts(p.alice)
	p.alice.Kill()
	p.alice.Forget()
	startAll(t, p.alice)
	p.link.A.Up()
	p.within(10*time.Second, "a new link", p.link.Agreed)
	if n := p.Attempts(p.alice) - attempts; n != 1 {
		t.Errorf("%d attempts, want 1", n)
	}
	p.carries()
}

// TestC8_T34_SpoofedRequests: requests in the name of a victim bring it no more octets than were
// sent, and cost the responder nothing that stays.
func TestC8_T34_SpoofedRequests(t *testing.T) {
	p := newPair(t, 3)
	got := 0
	victim := p.AddStranger("victim", func(d sim.Datagram) { got += len(d.Octets) })
	p.establish()
	spent := 0
	for _, d := range p.Attacker().Heard() {
		h, sdu := clear(d)
		if sdu == nil || d.From != p.alice.Address {
			continue
		}
		for range 1000 {
			spoofed := inClear(sim.Datagram{From: victim.Address, To: p.bob.Address}, h, sdu)
			spent += len(spoofed.Octets)
			p.Attacker().Replay(spoofed)
			p.Run(time.Millisecond)
		}
	}
	if got == 0 || got > spent {
		t.Errorf("the victim got %d octets for %d", got, spent)
	}
	if n := p.Machines(p.bob); n != 1 {
		t.Errorf("bob has %d machines", n)
	}
	p.carries()
	p.live()
}

// TestC12_Garbage: octets of every length at the door and at a live link, and containers that lie
// about what they hold.
func TestC12_Garbage(t *testing.T) {
	p := newPair(t, 4)
	p.establish()
	for i, d := range p.Attacker().Heard() {
		for n := range len(d.Octets) {
			cut := d
			cut.Octets = d.Octets[:n]
			p.Attacker().Replay(cut)
		}
		p.Run(time.Duration(i) * time.Millisecond)
	}
	for flags := range 256 {
		c := kei.Container{Method: kei.TLS13}
		b := c.AppendTo(nil)
		b[1] = byte(flags)
		b = append(b, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF)
		for _, d := range p.Attacker().Heard()[:4] {
			h, _ := clear(d)
			p.Attacker().Replay(inClear(d, h, pc5s.Marshal(&pc5s.DirectLinkAuthenticationResponse{KeyEstablishmentInfo: b})))
			p.Attacker().Replay(inClear(d, h, pc5s.Marshal(&pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: b})))
		}
		p.Run(time.Millisecond)
	}
	p.sound()
	p.carries()
	p.live()
}
