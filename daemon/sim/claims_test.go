package sim_test

import (
	"slices"
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/daemon/sim"
)

// TestKeysStolenLater: an attacker has recorded an establishment and then gets both
// long-term keys. With them he answers and asks in the recorded conversations again; nothing that
// was recorded goes on, because the ephemeral keys are gone.
func TestKeysStolenLater(t *testing.T) {
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

// TestT10_C2_KeysStolenAfterwards: sessions by certificate, by kept keys and by a pre-shared key are
// recorded, with keys that changed in them. Then a thief gets everything that is left at both ends:
// the key of the provisioning, what their daemons keep in memory, and their files of kept keys, which
// the long-term keys open. He had the pre-shared key and each kept key before it was used, too.
// Nothing that was recorded opens; K_NRP would open it, so he looks in the right place.
func TestT10_C2_KeysStolenAfterwards(t *testing.T) {
	byEachProof(t, func(t *testing.T, by link.Proof) {
		p := newPairBy(t, 9, by)
		p.alice.KeyFile, p.bob.KeyFile = true, true
		var memory, files []keys.Secret
		var loot []keys.Secret
		steal := func() {
			for _, h := range []*sim.Host{p.alice, p.bob} {
				m, provisioned, f := h.Steal()
				memory, files = append(memory, m...), append(files, f...)
				loot = slices.Concat(loot, m, provisioned, f)
			}
		}
		p.establish()
		steal()
		for range 3 {
			p.carries()
			p.rest()
			steal()
			p.link.A.Up()
			p.within(10*time.Second, "the link is back", p.link.Agreed)
			steal()
		}
		p.carries()
		p.alice.Kill()
		p.bob.Kill()
		steal()
		if kept := by != link.ByPreSharedKey; kept != (len(memory) > 0 && len(files) > 0) || len(loot) == 0 {
			t.Fatalf("the thief got %d keys from memory and %d from files", len(memory), len(files))
		}
		recordings, resumed := p.Attacker().Recordings(p.link), 0
		for i, r := range recordings {
			if r.Resumed() {
				resumed++
			}
			if r.Sealed() < 3 {
				t.Errorf("session %d: %d datagrams were recorded", i, r.Sealed())
			}
			for _, k := range loot {
				if r.OpensWith(k) {
					t.Errorf("session %d (resumed: %v) opens with a stolen key", i, r.Resumed())
				}
			}
		}
		if len(recordings) < 4 || resumed < 3 {
			t.Errorf("%d sessions were recorded, %d of them by psk-dhe", len(recordings), resumed)
		}
	})
}

// TestT10_RightKeyOpens: with K_NRP, which an evil end kept, the recording opens.
func TestT10_RightKeyOpens(t *testing.T) {
	for _, by := range []link.Proof{link.ByCertificate, link.ByPreSharedKey} {
		p := newTrapBy(t, sim.Violations{}, by)
		startAll(t, p.alice)
		p.mallory.Call(p.alice, 1)
		p.within(5*time.Second, "a link", p.link.A.Established)
		p.Run(time.Second)
		recordings := p.Attacker().Recordings(p.link)
		if len(recordings) != 1 || !recordings[0].Opens(p.mallory.KNRP) {
			t.Errorf("%v: K_NRP does not open what was recorded", by)
		}
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
	byEachProof(t, testSpoofedRequests)
}

func testSpoofedRequests(t *testing.T, by link.Proof) {
	p := newPairBy(t, 3, by)
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

// TestT34_SpoofedResumption: an attacker holds alice's requests of psk-dhe back and sends them in the
// name of a victim, again and again, with forged answers of his to what bob says. The victim gets one
// command for each request, which was longer, and nothing more (I6).
func TestT34_SpoofedResumption(t *testing.T) {
	for _, by := range []link.Proof{link.ByKeptKey, link.ByPreSharedKey} {
		p := newPairBy(t, 3, by)
		p.start()
		got, spent := 0, 0
		victim := p.AddStranger("victim", func(d sim.Datagram) {
			got += len(d.Octets)
			p.Attacker().Replay(p.Attacker().Negatives(sim.Datagram{From: d.To, To: d.From, Octets: d.Octets})...)
			for _, back := range p.Attacker().Reflections(d) {
				p.Attacker().Replay(p.Attacker().Negatives(back)...)
			}
		})
		p.Network.Filter = func(d sim.Datagram) []sim.Datagram {
			if d.From != p.alice.Address {
				return []sim.Datagram{d}
			}
			d.From = victim.Address
			for range 20 {
				spent += len(d.Octets)
				p.Attacker().Replay(d)
			}
			return nil
		}
		p.link.A.Up()
		p.Run(5 * time.Minute)
		p.sound()
		if got == 0 || got > spent {
			t.Errorf("%v: the victim got %d octets for %d", by, got, spent)
		}
		if n := p.Machines(p.bob); n > 1 {
			t.Errorf("%v: bob has %d machines", by, n)
		}
		p.live()
	}
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

// TestC7_ReplayedUserData: every record of user data is replayed, reflected and sent with each octet
// damaged. Each packet is delivered once.
func TestC7_ReplayedUserData(t *testing.T) {
	p := newPair(t, 5)
	p.establish()
	if lost := p.traffic(time.Second); lost != 0 {
		t.Errorf("%d packets were lost", lost)
	}
	_, before := p.Packets()
	for i, d := range p.Attacker().Heard() {
		p.Attacker().Replay(d)
		p.Attacker().Reflect(d)
		d.Octets = slices.Clone(d.Octets)
		d.Octets[i%len(d.Octets)] ^= 1
		p.Attacker().Replay(d)
		p.Run(time.Millisecond)
	}
	if _, after := p.Packets(); after != before {
		t.Errorf("%d packets came again", after-before)
	}
	p.carries()
	p.live()
}

// TestC9_NoNonceTwice: keys and names change in quick succession, both ends die and come back, all
// under traffic; wire.go looks at every nonce.
func TestC9_NoNonceTwice(t *testing.T) {
	p := newPair(t, 6)
	p.alice.Timers.RekeyMin, p.bob.Timers.RekeyMin = 0, 0
	p.establish()
	for round := range 12 {
		end := p.link.Ends()[round%2]
		end.Rekey()
		p.traffic(300 * time.Millisecond)
		end.Peer.UpdateIdentifiers()
		p.traffic(300 * time.Millisecond)
		if round%4 == 3 {
			end.Host.Kill()
			startAll(t, end.Host)
			p.within(10*time.Second, "the link is back", p.link.Agreed)
		}
	}
	p.live()
}

// TestC10_NothingInClear: packets are sent while the link is down, coming up, dying and gone. None
// leaves in clear (wire.go), and none that was sent while it was down arrives later.
func TestC10_NothingInClear(t *testing.T) {
	p := newPair(t, 7)
	p.start()
	p.link.A.Send(sim.IPv4, 100)
	p.link.B.Send(sim.IPv6, 100)
	p.link.A.Up()
	for range 20 {
		p.link.A.Send(sim.IPv4, 100)
		p.Step()
	}
	p.within(10*time.Second, "a link", p.link.Agreed)
	p.carries()
	_, before := p.Packets()
	p.link.A.Down()
	p.within(10*time.Second, "the link is down", func() bool { return p.link.A.State() == "down" && p.link.B.State() == "down" })
	p.link.A.Send(sim.IPv4, 100)
	p.link.B.Send(sim.IPv6, 100)
	p.link.A.Up()
	p.within(10*time.Second, "a link", p.link.Agreed)
	if _, after := p.Packets(); after != before {
		t.Errorf("%d packets of a link that was down arrived", after-before)
	}
	p.bob.Kill()
	p.link.A.Send(sim.IPv4, 100)
	p.Run(time.Second)
	p.live()
}
