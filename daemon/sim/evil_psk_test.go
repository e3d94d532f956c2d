package sim_test

import (
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/daemon/sim"
)

var resuming = []link.Proof{link.ByKeptKey, link.ByPreSharedKey}

// TestC12_T18_EvilCommandOfPSK: mallory has the key and answers alice's request by a command whose
// container breaks a rule. Alice believes nothing of it and says nothing. When mallory keeps the rules
// the link comes up without an operator: by the next authentication in full where the key was a kept
// one.
func TestC12_T18_EvilCommandOfPSK(t *testing.T) {
	container := func(alter func(b []byte) []byte) sim.Violations {
		return sim.Violations{Command: func(m *pc5s.DirectLinkSecurityModeCommand) { m.KeyEstablishmentInfo = alter(m.KeyEstablishmentInfo) }}
	}
	for name, v := range map[string]sim.Violations{
		"another share":             {Share: func(s *[kei.ShareLen]byte) { s[3] ^= 1 }},
		"an all-zero share":         {Share: func(s *[kei.ShareLen]byte) { *s = [kei.ShareLen]byte{} }},
		"a share of low order":      {Share: func(s *[kei.ShareLen]byte) { *s = [kei.ShareLen]byte{1} }},
		"no container":              container(func([]byte) []byte { return nil }),
		"no share":                  container(func(b []byte) []byte { return b[:len(b)-3-kei.ShareLen] }),
		"a share that is cut":       container(func(b []byte) []byte { return b[:len(b)-1] }),
		"two shares":                container(func(b []byte) []byte { return append(b, b[len(b)-3-kei.ShareLen:]...) }),
		"of another request":        container(func(b []byte) []byte { b[4] ^= 1; return b }),
		"of another method":         container(func(b []byte) []byte { b[0] = b[0]&0xF0 | byte(kei.TLS13); return b }),
		"a flag that it has not":    container(func(b []byte) []byte { b[1] |= 0x80; return b }),
		"a container that is empty": container(func([]byte) []byte { return []byte{0x12} }),
	} {
		for _, by := range resuming {
			t.Run(name+" "+by.String(), func(t *testing.T) {
				p := newTrapBy(t, v, by)
				p.called()
				p.never(5*time.Second, "a link", p.link.A.Established)
				for _, said := range []pc5s.MessageType{pc5s.MessageDirectLinkSecurityModeComplete, pc5s.MessageDirectLinkSecurityModeReject} {
					if p.mallory.Got[said] > 0 {
						t.Errorf("alice sent a %s", said)
					}
				}
				p.mallory.Violations = sim.Violations{}
				want := link.ByPreSharedKey
				if by == link.ByKeptKey {
					p.mallory.Shared, want = nil, link.ByCertificate
				}
				p.within(2*time.Minute, "a link with one who keeps the rules", p.link.A.Established)
				if got := p.link.A.Agreement().Proof; got != want {
					t.Errorf("by %s, want %s", got, want)
				}
			})
		}
	}
}

// TestC12_T18_EvilRequestOfPSK: mallory has the key and calls alice with an offer that breaks a rule.
// There is no link, no command where the request proves nothing, and nothing stays.
func TestC12_T18_EvilRequestOfPSK(t *testing.T) {
	for name, v := range map[string]sim.Violations{
		"an all-zero share":    {Offer: func(o *kei.Offer) { o.Share = &[kei.ShareLen]byte{} }},
		"a share of low order": {Offer: func(o *kei.Offer) { o.Share = &[kei.ShareLen]byte{1} }},
		"another share":        {Offer: func(o *kei.Offer) { o.Share = &[kei.ShareLen]byte{9} }},
		"no share":             {Offer: func(o *kei.Offer) { o.Share = nil }},
		"no time":              {Offer: func(o *kei.Offer) { o.Time = nil }},
		"no binder":            {Offer: func(o *kei.Offer) { o.Binder = nil }},
		"another binder":       {Binder: func(b *[kei.ProofLen]byte) { b[0] ^= 1 }},
		"method not offered":   {Offer: func(o *kei.Offer) { o.Methods = nil }},
	} {
		for _, by := range resuming {
			t.Run(name+" "+by.String(), func(t *testing.T) {
				v := v
				v.Silent = false
				p := newTrapBy(t, v, by)
				p.mallory.Flight = func([]byte) []byte { return nil } // no way out by certificate
				p.calls(1)
				p.never(5*time.Second, "a link", p.link.A.Established)
				p.Run(25 * time.Second)
				if n := p.Machines(p.alice); n != 0 {
					t.Errorf("alice keeps %d machines", n)
				}
				if n := p.mallory.Got[pc5s.MessageDirectLinkSecurityModeCommand]; n != 0 {
					t.Errorf("%d commands that verify", n)
				}
			})
		}
	}
}

// TestC4_T08_KeysOfOthers: mallory calls alice and names a key that alice has with bob: by its ID, or by
// the tag and the nonce of a request of bob's. It has no key but its own, and gets no command.
func TestC4_T08_KeysOfOthers(t *testing.T) {
	for _, by := range resuming {
		t.Run(by.String(), func(t *testing.T) {
			var bobs *sim.Link
			p := newTrapBy(t, sim.Violations{}, by, func(p *pair) {
				bobs = p.Connect(p.AddHost("bob"), p.alice, "ip")
				bobs.PreShared = by == link.ByPreSharedKey
			})
			p.ready()
			startAll(t, bobs.A.Host)
			bobs.A.Up()
			p.within(5*time.Second, "bob's link", bobs.Agreed)
			bobs.A.Down()
			p.within(5*time.Second, "bob at rest", func() bool { return bobs.A.State() == "down" && bobs.B.State() == "down" })
			p.Network.Filter = func(d sim.Datagram) []sim.Datagram { // bob's next request is heard, and arrives nowhere
				if d.From == bobs.A.Host.Address {
					return nil
				}
				return []sim.Datagram{d}
			}
			bobs.A.Up()
			p.Run(100 * time.Millisecond)
			request := lastRequest(t, p.pair, bobs.A.Host)
			offer, err := kei.ParseOffer(request.KeyEstablishmentInfo)
			if err != nil || offer.Binder == nil {
				t.Fatal("bob's request has no binder")
			}
			for n, v := range []sim.Violations{
				{Request: func(m *pc5s.DirectLinkEstablishmentRequest) { m.KNRPID, m.Nonce1 = request.KNRPID, request.Nonce1 },
					Offer: func(o *kei.Offer) { o.KeyTag = offer.KeyTag }},
				{Request: func(m *pc5s.DirectLinkEstablishmentRequest) {
					m.KNRPID, m.Nonce1, m.SourceUserInfo = request.KNRPID, request.Nonce1, request.SourceUserInfo
				}, Offer: func(o *kei.Offer) { o.KeyTag, o.Share, o.Time = offer.KeyTag, offer.Share, offer.Time },
					Binder: func(b *[kei.ProofLen]byte) { *b = *offer.Binder }},
			} {
				v.Flight = func([]byte) []byte { return nil }
				p.mallory.Violations = v
				p.mallory.Call(p.alice, uint8(n))
				p.never(5*time.Second, "a link in bob's name", func() bool { return p.link.A.Established() || bobs.B.Established() })
				if p.mallory.Got[pc5s.MessageDirectLinkSecurityModeCommand] > 0 {
					t.Error("mallory got a command")
				}
			}
			p.Network.Filter = nil // bob's key is as good as before
			p.within(2*time.Minute, "bob's link", bobs.Agreed)
		})
	}
}

// lastRequest is the newest establishment request of a host.
func lastRequest(t *testing.T, p *pair, from *sim.Host) *pc5s.DirectLinkEstablishmentRequest {
	t.Helper()
	var newest *pc5s.DirectLinkEstablishmentRequest
	for _, d := range p.Attacker().Heard() {
		if _, sdu := clear(d); sdu != nil && d.From == from.Address {
			if m, ok := parse(t, sdu).(*pc5s.DirectLinkEstablishmentRequest); ok {
				newest = m
			}
		}
	}
	if newest == nil {
		t.Fatal("no request")
	}
	return newest
}

// TestT72_KeptKeyTwice: mallory uses a kept key for several attempts at once, then again after it made a
// link. It makes one.
func TestT72_KeptKeyTwice(t *testing.T) {
	p := newTrapBy(t, sim.Violations{Silent: true}, link.ByKeptKey)
	shared := p.mallory.Shared
	for n := range uint8(3) {
		p.calls(n)
		p.Run(100 * time.Millisecond)
	}
	if n := p.mallory.Got[pc5s.MessageDirectLinkSecurityModeCommand]; n != 3 {
		t.Fatalf("%d commands, want 3", n)
	}
	p.mallory.Silent = false
	p.calls(10)
	p.within(5*time.Second, "a link", p.link.A.Established)
	before := p.link.A.Agreement()
	p.mallory.Flight = func([]byte) []byte { return nil }
	p.mallory.Shared = shared
	p.calls(11)
	p.never(10*time.Second, "another link from the same key", func() bool { return p.link.A.Agreement() != before })
	if n := p.mallory.Got[pc5s.MessageDirectLinkSecurityModeCommand]; n != 4 {
		t.Errorf("%d commands, want no more than 4", n)
	}
	p.Run(30 * time.Second)
	if n := p.Machines(p.alice); n != 1 {
		t.Errorf("alice keeps %d machines", n)
	}
}

// TestT05_TimesOfPSK: a time that is old, or the same again, costs a cookie; one of the far future is
// taken, and nobody is shut out by it.
func TestT05_TimesOfPSK(t *testing.T) {
	for _, by := range resuming {
		p := newTrapBy(t, sim.Violations{}, by)
		for n, at := range []uint64{1 << 63, 1 << 63, 0, 1<<64 - 1, 1<<64 - 1, 5} {
			p.mallory.Offer = func(o *kei.Offer) { o.Time = &at }
			before := p.link.A.Agreement()
			p.mallory.Got = map[pc5s.MessageType]int{}
			p.calls(uint8(n))
			p.within(5*time.Second, "a link", func() bool { return p.link.A.Established() && p.link.A.Agreement() != before })
			asked := p.mallory.Got[pc5s.MessageDirectLinkAuthenticationRequest] > 0
			if want := n != 0 && n != 3; by == link.ByPreSharedKey && asked != want {
				t.Errorf("time %d: asked for a cookie: %v", at, asked)
			}
			if got := p.link.A.Agreement().Proof; got != by {
				t.Errorf("%v: established by %v", by, got)
			}
			p.Run(time.Second)
			p.mallory.Shared.Key, p.mallory.Shared.ID = next(p, by)
		}
	}
}

// next is the key of mallory's next attempt.
func next(p *trap, by link.Proof) (keys.Secret, keys.KNRPID) {
	if by == link.ByPreSharedKey {
		return p.mallory.Shared.Key, 0
	}
	return p.mallory.Kept.Key, p.mallory.Kept.ID
}

// TestC6_NoCertificateForAPreSharedKey: where the provisioning trusts a pre-shared key, the certificate of
// the same name gets nowhere, in either part.
func TestC6_NoCertificateForAPreSharedKey(t *testing.T) {
	p := newTrapBy(t, sim.Violations{}, link.ByPreSharedKey)
	p.mallory.Shared = nil
	p.calls(1)
	p.never(5*time.Second, "a link by certificate", p.link.A.Established)
	p.link.A.Up()
	p.never(25*time.Second, "a link by certificate", p.link.A.Established)
	if p.mallory.Got[pc5s.MessageDirectLinkSecurityModeCommand]+p.mallory.Got[pc5s.MessageDirectLinkSecurityModeComplete] > 0 {
		t.Error("alice went on by certificate")
	}
	if p.mallory.Got[pc5s.MessageDirectLinkEstablishmentRequest] == 0 {
		t.Error("alice did not ask")
	}
}

// TestC3_T09_StatusTellsTheProof: against a stolen pre-shared key nothing is claimed, so status says
// which links rest on one.
func TestC3_T09_StatusTellsTheProof(t *testing.T) {
	byEachProof(t, func(t *testing.T, by link.Proof) {
		p := newPairBy(t, 12, by)
		p.establish()
		p.Run(time.Second)
		for _, e := range p.link.Ends() {
			if a := e.Host.Status(e).Authentication; a == nil || a.Proof != by.String() {
				t.Errorf("%s: status shows %+v", e, a)
			}
		}
	})
}

// TestT05_T94_ReplayedKeyBlocksNobody: mallory recorded alice's requests under a pre-shared key, which
// prove the key for ever, and sends one from time to time from an address of its own, with a cookie. Bob
// can not know better, but he goes on calling alice himself, and says of nobody that he authenticated.
func TestT05_T94_ReplayedKeyBlocksNobody(t *testing.T) {
	p := newPairBy(t, 13, link.ByPreSharedKey)
	p.establish()
	request := lastRequestOctets(p)
	h, sdu := clear(request)
	var mallory *sim.Host
	commands := 0
	mallory = p.AddStranger("mallory", func(d sim.Datagram) {
		_, answer := clear(d)
		if answer == nil {
			commands++
			return
		}
		m, ok := parse(t, answer).(*pc5s.DirectLinkAuthenticationRequest)
		if !ok {
			return
		}
		c, err := kei.Parse(m.KeyEstablishmentInfo)
		if err != nil || !c.HasCookie {
			return
		}
		back := kei.Container{Method: kei.PSKDHE, Tag: kei.Tag(sdu), AckOnly: true, HasCookie: true, Cookie: c.Cookie, HasRequest: true, Request: sdu}
		response := pc5s.Marshal(&pc5s.DirectLinkAuthenticationResponse{KeyEstablishmentInfo: back.AppendTo(nil)})
		p.Network.Inject(inClear(sim.Datagram{From: mallory.Address, To: p.bob.Address}, h, response))
	})
	p.alice.Kill()
	p.alice.Forget()
	p.link.A.Calls = false // only bob can call
	for range 60 {
		p.Network.Inject(sim.Datagram{From: mallory.Address, To: p.bob.Address, Octets: request.Octets})
		p.Run(3 * time.Second)
	}
	if commands == 0 {
		t.Fatal("nothing was replayed")
	}
	startAll(t, p.alice)
	begin := p.Now()
	for p.Now()-begin < 2*time.Minute && !p.link.Agreed() {
		p.Network.Inject(sim.Datagram{From: mallory.Address, To: p.bob.Address, Octets: request.Octets})
		p.RunUntil(3*time.Second, p.link.Agreed)
	}
	if !p.link.Agreed() {
		t.Errorf("bob, who is %q, does not call alice", p.link.B.State())
	}
	p.live()
}

// lastRequestOctets is alice's newest request.
func lastRequestOctets(p *pair) (newest sim.Datagram) {
	for _, d := range p.Attacker().Heard() {
		if _, sdu := clear(d); sdu != nil && d.From == p.alice.Address && pc5s.MessageType(sdu[0]) == pc5s.MessageDirectLinkEstablishmentRequest {
			newest = d
		}
	}
	return newest
}
