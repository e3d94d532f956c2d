package link_test

import (
	"bytes"
	"math/bits"
	"testing"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/policy"
)

// newPreShared makes a pair whose provisioning names each end by one pre-shared key, and no other.
func newPreShared(t testing.TB) *pair {
	t.Helper()
	p := newPair(t)
	for _, e := range []*end{p.a, p.b} {
		e.link.Trust, e.link.Pins = policy.TrustPSK, []policy.Fingerprint{{0: 0x95}}
		e.share(bytes.Repeat([]byte{7, 1, 8}, 11)[:32])
	}
	return p
}

// share gives an end a pre-shared key.
func (e *end) share(key []byte) {
	e.kept.entries = []link.KeptKey{{
		PreShared: true, Peer: link.Peer{Name: e.link.Peer, Fingerprint: e.link.Pins[0]}, Service: e.link.Service,
		Key: keys.ResumptionKey{Secret: keys.NewSecret(key)},
	}}
}

// TestT19_PreSharedKey: four datagrams, no certificate, no ID that stands in clear, new keys each
// time, and the key is still there afterwards.
func TestT19_PreSharedKey(t *testing.T) {
	p := newPreShared(t)
	defer p.close()
	seen := map[string]bool{}
	for i := range 4 {
		p.establish(t)
		if len(p.sent) != 4 || p.messages(t)[pc5s.MessageDirectLinkAuthenticationRequest] != 0 || len(p.sent[1]) > len(p.sent[0]) {
			t.Errorf("%d: %d datagrams, %v", i, len(p.sent), p.messages(t))
		}
		request, err := pc5s.Parse(bytes.Clone(p.sent[0][10:]))
		if err != nil || request.(*pc5s.DirectLinkEstablishmentRequest).KNRPID != nil {
			t.Errorf("%d: the request has a K_NRP ID: %v", i, err)
		}
		k := string(p.a.installed.Send.Key.Bytes())
		if seen[k] {
			t.Error("a key came again")
		}
		seen[k] = true
		if p.a.installed.Agreement.Proof != link.ByPreSharedKey || len(p.a.kept.entries) != 1 || len(p.b.kept.entries) != 1 {
			t.Errorf("%d: %+v; keys %d %d", i, p.a.installed.Agreement, len(p.a.kept.entries), len(p.b.kept.entries))
		}
		p.pass(6 * time.Second)
		if err := p.a.machine.Rekey(p.now); err != nil {
			t.Fatal(err)
		}
		p.drain(p.a)
		p.deliver()
		p.agree(t, "re-keyed")
		p.again(t)
	}
}

// TestT05_ClockSetBack: a time that is not newer costs a cookie round and no authentication; the
// copy of the request that comes back with the cookie stands for the newer time.
func TestT05_ClockSetBack(t *testing.T) {
	for name, make1 := range map[string]func(testing.TB) *pair{"pre-shared": newPreShared, "kept": newPair} {
		t.Run(name, func(t *testing.T) {
			p := make1(t)
			defer p.close()
			p.establish(t)
			p.again(t)
			newest := p.b.kept.entries[0]
			p.b.kept.Accept(newest, uint64(p.now.Add(time.Hour).UnixNano())) // what B saw before A's clock was set back
			p.establish(t)
			if n := p.messages(t)[pc5s.MessageDirectLinkAuthenticationRequest]; n != 1 || len(p.sent) != 6 {
				t.Errorf("%d authentication requests, %d datagrams; want the cookie round and four", n, len(p.sent))
			}
			if len(p.sent[1]) > len(p.sent[0]) {
				t.Errorf("the cookie has %d octets, the request %d (T34)", len(p.sent[1]), len(p.sent[0]))
			}
			replay := bytes.Clone(p.sent[2])
			p.again(t)
			if name == "kept" { // the key is gone
				if _, admitted, _ := p.b.admission.Receive(p.now, p.a.address, replay); admitted != nil {
					t.Error("a replayed response was admitted under a key that was used")
				}
			}
			p.pass(11 * time.Second)
			if _, admitted, _ := p.b.admission.Receive(p.now, p.a.address, replay); admitted != nil {
				t.Error("a response was admitted after its cookie's life")
			}
		})
	}
}

// TestT15_CookieOfPreSharedLosses: each subset of the first datagrams with a cookie round lost, of as
// many as the request is repeated.
func TestT15_CookieOfPreSharedLosses(t *testing.T) {
	for pattern := range 1 << 7 {
		if bits.OnesCount(uint(pattern)) > link.ProfileIP().T5080.Repeats {
			continue
		}
		p := newPreShared(t)
		p.b.kept.Accept(p.b.kept.entries[0], uint64(p.now.Add(time.Hour).UnixNano()))
		p.lose = func(index int) bool { return index < 7 && pattern>>index&1 == 1 }
		p.run()
		if !p.settled() || p.a.machine.State() != link.Established {
			t.Errorf("pattern %07b: a %v (%v)", pattern, p.a.machine.State(), p.a.machine.Failed())
		}
		p.agree(t, "pattern %07b", pattern)
		p.close()
	}
}

// TestT19_WrongPreSharedKey: another key at B, or none: a hint for people, never a link, and never
// an authentication by certificates, which this link does not trust.
func TestT19_WrongPreSharedKey(t *testing.T) {
	for name, change := range map[string]func(p *pair){
		"another":       func(p *pair) { p.b.share(bytes.Repeat([]byte{3, 1}, 16)) },
		"none":          func(p *pair) { p.b.kept.entries = nil },
		"other service": func(p *pair) { p.b.kept.entries[0].Service = "video" },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPreShared(t)
			defer p.close()
			change(p)
			p.run()
			if p.b.machine != nil || p.a.machine.State() != link.Released {
				t.Fatalf("a is %v, b %v", p.a.machine.State(), p.b.machine)
			}
			if p.messages(t)[pc5s.MessageDirectLinkAuthenticationRequest] != 0 || p.messages(t)[pc5s.MessageDirectLinkAuthenticationResponse] != 0 {
				t.Errorf("authenticated by certificates: %v", p.messages(t))
			}
			if _, ok := p.a.machine.Failed().(*link.PeerRefusedError); !ok {
				t.Errorf("a says %v", p.a.machine.Failed())
			}
			for _, d := range p.sent {
				if len(d) > len(p.sent[0]) {
					t.Error("an answer is longer than the request (T34)")
				}
			}
		})
	}
}

// TestT19_ForcedToCertificates: somebody on the path answers a request of a pre-shared link by a
// cookie of TLS. The initiator does not follow.
func TestT19_ForcedToCertificates(t *testing.T) {
	p := newPreShared(t)
	defer p.close()
	other := newPair(t)
	defer other.close()
	p.start()
	request := p.queue[0]
	p.queue = nil
	answer, _, err := other.b.admission.Receive(p.now, p.a.address, request.datagram)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.a.machine.Receive(p.now, p.b.address, answer); err == nil {
		t.Error("a foreign answer was taken")
	}
	if p.a.machine.State() != link.Requested {
		t.Errorf("a is %v", p.a.machine.State())
	}
}
