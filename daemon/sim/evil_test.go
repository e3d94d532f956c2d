package sim_test

import (
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/daemon/sim"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/policy"
)

// trap is alice, who is honest, and mallory, who is provisioned and evil.
type trap struct {
	*pair
	mallory *sim.EvilPeer
}

func newTrap(t *testing.T, v sim.Violations) *trap {
	t.Helper()
	return newTrapBy(t, v, link.ByCertificate)
}

// newTrapBy is a trap whose next establishment is by a proof; both have the key that it needs. More
// may add to the world before anything happens.
func newTrapBy(t *testing.T, v sim.Violations, by link.Proof, more ...func(*pair)) *trap {
	t.Helper()
	p := &pair{World: newWorld(t, 1), t: t}
	p.alice = p.AddHost("alice")
	evil := p.AddEvilPeer("mallory")
	p.bob = evil.Host
	p.link = p.Connect(p.alice, p.bob, "ip")
	p.link.A.Words = "signalling.ciphering = \"required\"\nuser_plane.algorithms = [\"aes-128-gcm\"]"
	p.proof = by
	for _, add := range more {
		add(p)
	}
	switch by {
	case link.ByPreSharedKey:
		p.link.PreShared = true
		evil.Shared = p.link.PreSharedKey()
	case link.ByKeptKey:
		startAll(t, p.alice)
		evil.Call(p.alice, 0xF0)
		p.within(5*time.Second, "a first session", p.link.A.Established)
		p.Run(time.Second)
		p.link.A.Down()
		p.within(time.Minute, "alice at rest", func() bool { return p.link.A.State() == "down" && p.Machines(p.alice) == 0 })
		evil.Shared = evil.Kept
		evil.Got = map[pc5s.MessageType]int{}
	}
	evil.Violations = v
	return &trap{p, evil}
}

// called lets mallory be the responder of alice's attempt.
func (p *trap) called() {
	p.t.Helper()
	p.ready()
	p.link.A.Up()
}

// calls lets mallory be the initiator.
func (p *trap) calls(n uint8) {
	p.t.Helper()
	p.ready()
	p.mallory.Call(p.alice, n)
}

// ready starts alice, who runs already where she had a session before.
func (p *trap) ready() {
	p.t.Helper()
	if !p.alice.Running() {
		startAll(p.t, p.alice)
	}
}

// TestEvilPeerKeepsTheRules: without a violation alice has a link with mallory, either way; so
// the tests below fail for their violation and nothing else.
func TestEvilPeerKeepsTheRules(t *testing.T) {
	byEachProof(t, func(t *testing.T, by link.Proof) {
		p := newTrapBy(t, sim.Violations{}, by)
		p.called()
		p.within(5*time.Second, "a link", p.link.A.Established)
		if got := p.link.A.Agreement().Proof; got != by {
			t.Errorf("by %s", got)
		}

		p = newTrapBy(t, sim.Violations{}, by)
		p.calls(1)
		p.within(5*time.Second, "a link", p.link.A.Established)
		if got := p.link.A.Agreement().Proof; got != by {
			t.Errorf("by %s", got)
		}
		p.Run(10 * time.Millisecond)
		if p.mallory.Got[pc5s.MessageDirectLinkEstablishmentAccept] == 0 {
			t.Error("mallory got no accept")
		}
	})
}

// TestC6_T02_T04_EvilCommand: a command that breaks alice's floor, or echoes something else than
// she sent, makes no link. Where its MAC-I is right she says so.
func TestC6_T02_T04_EvilCommand(t *testing.T) {
	type command = *pc5s.DirectLinkSecurityModeCommand
	for name, v := range map[string]struct {
		alter  func(command)
		reject bool
	}{
		"null integrity":               {func(m command) { m.Selected = pc5s.SelectedAlgorithms{} }, false},
		"null integrity, NEA2":         {func(m command) { m.Selected.Integrity = nea.NIA0 }, false},
		"null ciphering":               {func(m command) { m.Selected.Ciphering = nea.NEA0 }, true},
		"no suite":                     {func(m command) { m.UserPlaneSuite = nil }, true},
		"suite none":                   {func(m command) { none := suite.None; m.UserPlaneSuite = &none }, true},
		"suite not offered":            {func(m command) { other := suite.AES256GCM; m.UserPlaneSuite = &other }, true},
		"capabilities echo":            {func(m command) { m.Capabilities = pc5s.Capabilities{0xA0, 0x20, 0x80} }, true},
		"shorter capabilities echo":    {func(m command) { m.Capabilities = m.Capabilities[:2] }, true},
		"policy echo":                  {func(m command) { m.SecurityPolicy.Ciphering = policy.NotNeeded }, true},
		"no nonce":                     {func(m command) { m.Nonce2 = nil }, false},
		"no LSB":                       {func(m command) { m.KNRPSessLSB = nil }, false},
		"an LSB that is not in the ID": {func(m command) { other := *m.KNRPSessLSB + 1; m.KNRPSessLSB = &other }, false},
	} {
		t.Run(name, func(t *testing.T) {
			byEachProof(t, func(t *testing.T, by link.Proof) {
				p := newTrapBy(t, sim.Violations{Command: v.alter}, by)
				p.called()
				p.never(5*time.Second, "a link", p.link.A.Established)
				if got := p.mallory.Got[pc5s.MessageDirectLinkSecurityModeReject] > 0; got != v.reject {
					t.Errorf("security mode reject: %v, want %v", got, v.reject)
				}
				if p.mallory.Got[pc5s.MessageDirectLinkSecurityModeComplete] > 0 {
					t.Error("alice completed")
				}
			})
		})
	}
}

// TestC6_T03_EvilAccept: an accept that breaks alice's floor ends in a release, before any packet
// passes.
func TestC6_T03_EvilAccept(t *testing.T) {
	type accept = *pc5s.DirectLinkEstablishmentAccept
	for name, alter := range map[string]func(accept){
		"no protection":    func(m accept) { m.UserPlane = pc5s.UserPlaneConfiguration{} },
		"no integrity":     func(m accept) { m.UserPlane.Integrity = false },
		"no ciphering":     func(m accept) { m.UserPlane.Ciphering = false },
		"another's name":   func(m accept) { m.SourceUserInfo = []byte("bob") },
		"alice's own name": func(m accept) { m.SourceUserInfo = []byte("alice") },
	} {
		t.Run(name, func(t *testing.T) {
			byEachProof(t, func(t *testing.T, by link.Proof) {
				p := newTrapBy(t, sim.Violations{Accept: alter}, by)
				p.called()
				p.never(5*time.Second, "a link", p.link.A.Established)
				if p.mallory.Got[pc5s.MessageDirectLinkReleaseRequest] == 0 {
					t.Error("alice did not release")
				}
			})
		})
	}
}

// TestC4_T08_Misbinding: mallory has valid credentials and calls itself somebody else in the
// request.
func TestC4_T08_Misbinding(t *testing.T) {
	byEachProof(t, func(t *testing.T, by link.Proof) {
		for _, name := range []string{"bob", "alice", "Mallory", "mallory.", "mallory\x00"} {
			p := newTrapBy(t, sim.Violations{Request: func(m *pc5s.DirectLinkEstablishmentRequest) { m.SourceUserInfo = []byte(name) }}, by)
			p.calls(1)
			p.never(25*time.Second, "a link with "+name, p.link.A.Established)
			if n := p.Machines(p.alice); n != 0 {
				t.Errorf("alice keeps %d machines", n)
			}
		}
	})
}

// TestC4_T08_Forwarded: mallory, who has a key with each of the two, forwards alice's handshake to bob
// and bob's to alice, as its own. It does not end in a link, whatever the keys are.
func TestC4_T08_Forwarded(t *testing.T) {
	byEachProof(t, func(t *testing.T, by link.Proof) {
		w := newWorld(t, 2)
		alice, bob := w.AddHost("alice"), w.AddHost("bob")
		mallory := w.AddEvilPeer("mallory")
		with := []*sim.Link{w.Connect(alice, mallory.Host, "ip"), w.Connect(bob, mallory.Host, "ip")}
		for _, l := range with {
			l.PreShared = by == link.ByPreSharedKey
		}
		startAll(t, alice, bob)
		if by == link.ByKeptKey {
			for i, h := range []*sim.Host{alice, bob} {
				mallory.Call(h, uint8(0xF0+i))
				if !w.RunUntil(5*time.Second, with[i].A.Established) {
					t.Fatal("no first session")
				}
				w.Run(time.Second)
				with[i].A.Down()
				w.Run(time.Minute)
			}
		}
		forwarded := 0
		mallory.Relay = func(d sim.Datagram) {
			to := bob
			if d.From == bob.Address {
				to = alice
			}
			forwarded++
			w.Attacker().Replay(sim.Datagram{From: mallory.Host.Address, To: to.Address, Octets: d.Octets})
		}
		for _, l := range with { // either, and both at once
			l.A.Up()
			if w.RunUntil(10*time.Second, func() bool { return with[0].A.Established() || with[1].A.Established() }) {
				t.Error("a link through mallory")
			}
		}
		if forwarded == 0 {
			t.Error("nothing was forwarded")
		}
		for _, err := range w.Faults() {
			t.Error(err)
		}
	})
}

// TestC3_T09_StolenKey: whoever has alice's own key is neither bob nor anybody else to alice.
func TestC3_T09_StolenKey(t *testing.T) {
	for _, name := range []string{"mallory", "alice"} {
		p := newTrap(t, sim.Violations{})
		p.mallory.Steal(p.alice, name)
		startAll(t, p.alice)
		p.mallory.Call(p.alice, 1)
		p.never(5*time.Second, "a link with alice's own key", p.link.A.Established)
		p.link.A.Up()
		p.never(5*time.Second, "a link with alice's own key", p.link.A.Established)
	}
}

// TestC8_T32_T33_HalfOpen: mallory begins many establishments and ends none. Alice keeps eight at
// most, each for its deadline at most, and meanwhile serves bob.
func TestC8_T32_T33_HalfOpen(t *testing.T) {
	byEachProof(t, testHalfOpen)
}

func testHalfOpen(t *testing.T, by link.Proof) {
	var bob *sim.Host
	var honest *sim.Link
	p := newTrapBy(t, sim.Violations{Silent: true}, by, func(p *pair) {
		bob = p.AddHost("bob")
		honest = p.Connect(bob, p.alice, "ip")
	})
	p.ready()
	startAll(t, bob)
	most := 0
	for n := range 40 {
		if n%2 == 0 {
			p.mallory.Flight = func([]byte) []byte { return nil } // stops in the handshake
		} else {
			p.mallory.Flight = nil // stops before the complete
		}
		p.mallory.Call(p.alice, uint8(n))
		p.Run(20 * time.Millisecond)
		most = max(most, p.Machines(p.alice))
		if n == 30 {
			honest.A.Up()
		}
	}
	p.within(10*time.Second, "a link of the honest one", honest.Agreed)
	if most < 8 {
		t.Errorf("at most %d half-open: mallory did not try", most)
	}
	p.Run(30 * time.Second)
	p.sound()
	if n := p.Machines(p.alice); n != 1 {
		t.Errorf("%d machines are left, want bob's", n)
	}
}

// TestC6_EvilComplete: a user-plane policy below alice's floor in the complete is refused under
// protection.
func TestC6_EvilComplete(t *testing.T) {
	byEachProof(t, func(t *testing.T, by link.Proof) {
		p := newTrapBy(t, sim.Violations{Complete: func(m *pc5s.DirectLinkSecurityModeComplete) {
			m.UserPlanePolicy = pc5s.SecurityPolicy{}
		}}, by)
		p.calls(1)
		p.never(5*time.Second, "a link", p.link.A.Established)
		if p.mallory.Got[pc5s.MessageDirectLinkEstablishmentReject] == 0 {
			t.Error("alice did not refuse")
		}
	})
}

// TestC12_EvilFlights alters octets of each flight of the handshake: no link, no panic, nothing
// left.
func TestC12_EvilFlights(t *testing.T) {
	for at := range 60 {
		altered := 0
		p := newTrap(t, sim.Violations{Flight: func(flight []byte) []byte {
			altered++
			if len(flight) > 0 {
				flight[at*len(flight)/60] ^= 0x40
			}
			return flight
		}})
		startAll(t, p.alice)
		if at%2 == 0 {
			p.link.A.Up()
		}
		p.mallory.Call(p.alice, 1)
		p.never(3*time.Second, "a link", p.link.A.Established)
		p.link.A.Down()
		p.Run(25 * time.Second)
		if n := p.Machines(p.alice); n != 0 || altered == 0 {
			t.Errorf("%d machines are left after %d altered flights", n, altered)
		}
		p.Close()
	}
}

// TestT12_Impostor: mallory answers alice's requests in bob's name, faster than bob, with a
// certificate that is not bob's. What it shows is no fact: when mallory goes away, the link comes
// up without an operator.
func TestT12_Impostor(t *testing.T) {
	p := newPair(t, 4)
	mallory := p.AddEvilPeer("mallory")
	p.Connect(p.alice, mallory.Host, "ip")
	p.Network.Filter = func(d sim.Datagram) []sim.Datagram {
		switch d.To {
		case p.bob.Address: // what is for bob comes to mallory
			d.To = mallory.Host.Address
		case p.alice.Address:
			if d.From == mallory.Host.Address {
				d.From = p.bob.Address
			}
		}
		return []sim.Datagram{d}
	}
	p.start()
	p.link.A.Up()
	p.never(10*time.Second, "a link with an impostor", p.link.A.Established)
	if mallory.Got[pc5s.MessageDirectLinkAuthenticationResponse] == 0 {
		t.Fatal("alice never met mallory")
	}
	p.Network.Filter = nil
	p.within(2*time.Minute, "a link with bob, without an operator", p.link.Agreed)
}
