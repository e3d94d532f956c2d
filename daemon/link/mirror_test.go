package link_test

import (
	"bytes"
	"crypto/tls"
	"testing"
	"time"

	"pc5d/daemon/auth"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/link"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// TestP2_C1_Relay: somebody on the path changes the same field in both directions, so that each
// end sees a conversation without contradictions. There is no link, and if there ever were one
// its ends would have to agree.
func TestP2_C1_Relay(t *testing.T) {
	swap := func(d []byte, a, b []byte) {
		for i := 0; i+len(a) <= len(d); i++ {
			if bytes.Equal(d[i:i+len(a)], a) {
				copy(d[i:], b)
				i += len(a) - 1
			}
		}
	}
	reference := newPair(t)
	reference.commanded(t)
	request := reference.sent[0][underlay.HeaderLen+2:]
	nonce := reference.a.machine.Nonce1()
	reference.close()
	position := bytes.Index(request, nonce[:])
	if position < 0 {
		t.Fatal("the request does not show Nonce_1")
	}
	// rewrite replaces octets of the request wherever they appear, and the tag that follows from it.
	rewrite := func(change func(request []byte)) func() func(int, []byte) {
		return func() func(int, []byte) {
			var was, is []byte
			return func(_ int, d []byte) {
				if was == nil {
					was = bytes.Clone(d[underlay.HeaderLen+2:])
					is = bytes.Clone(was)
					change(is)
				}
				oldTag, newTag := kei.Tag(was), kei.Tag(is)
				if bytes.Contains(d, newTag[:]) {
					swap(d, newTag[:], oldTag[:]) // an answer, on its way to A
					return
				}
				swap(d, was, is)
				swap(d, oldTag[:], newTag[:])
			}
		}
	}
	identifiers := func(a, b underlay.LayerTwoID) func() func(int, []byte) {
		octets := func(id underlay.LayerTwoID) []byte { return []byte{byte(id >> 16), byte(id >> 8), byte(id)} }
		return func() func(int, []byte) {
			return func(_ int, d []byte) {
				for _, at := range []int{1, 4} {
					switch {
					case bytes.Equal(d[at:at+3], octets(a)):
						copy(d[at:], octets(b))
					case bytes.Equal(d[at:at+3], octets(b)):
						copy(d[at:], octets(a))
					}
				}
			}
		}
	}
	// The MSB stays another number than 0, which no request may have.
	for name, relay := range map[string]func() func(int, []byte){
		"Nonce_1":                rewrite(func(r []byte) { r[position] ^= 1 }),
		"MSB of K_NRP-sess ID":   rewrite(func(r []byte) { r[position+17] = r[position+17]%255 + 1 }),
		"sequence number":        rewrite(func(r []byte) { r[1] ^= 1 }),
		"name of the initiator":  rewrite(func(r []byte) { swap(r, []byte("alice"), []byte("carol")) }),
		"L2 ID of the initiator": identifiers(0xA11CE, 0x5A11CE),
		"L2 ID of the responder": identifiers(0xB0B, 0x5B0B),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			defer p.close()
			p.alter = relay()
			p.run()
			p.agree(t, name)
			if p.a.installed != nil || p.b.installed != nil {
				t.Errorf("a link: a %v, b %v", p.a.machine.State(), p.b.machine)
			}
			if p.b.machine == nil || p.a.machine.State() == link.Requested {
				t.Error("the relay did not even get to the handshake: the case proves nothing")
			}
		})
	}
}

// TestT07_C4_Mirror: every message comes back to its sender as if the other end had sent it, and
// also goes where it should. The link comes up between the right two ends, or not at all.
func TestT07_C4_Mirror(t *testing.T) {
	for _, turned := range []bool{false, true} {
		p := newPair(t)
		p.lose = func(index int) bool {
			d := bytes.Clone(p.sent[index])
			if turned { // the identifiers, too
				copy(d[1:4], p.sent[index][4:7])
				copy(d[4:7], p.sent[index][1:4])
			}
			p.queue = append(p.queue, transit{p.b.address, p.a.address, d}, transit{p.a.address, p.b.address, bytes.Clone(d)})
			return false
		}
		p.run()
		p.agree(t, "mirrored, turned %t", turned)
		for _, e := range []*end{p.a, p.b} {
			if e.installed != nil && e.installed.Agreement.A == e.installed.Agreement.B {
				t.Errorf("a link with itself: %+v", e.installed.Agreement)
			}
		}
		if p.a.installed == nil || p.b.installed == nil {
			t.Errorf("turned %t: mirroring alone prevents the link: a %v, b %v", turned, p.a.machine.Failed(), p.b.drops)
		}
		p.close()
	}
	// An own request that the mirror hands back is never answered.
	p := newPair(t)
	p.start()
	if _, admitted, err := p.a.admission.Receive(p.now, p.b.address, p.sent[0]); err != link.DropTarget && err != link.DropOwnRequest || admitted != nil {
		t.Errorf("own request: %v, %v", admitted, err)
	}
	p.close()
}

// liar claims another name in its request, then goes on as what it is.
type liar struct {
	link.Authentication
	claims string
}

func (l *liar) Local() link.Peer {
	p := l.Authentication.Local()
	if l.claims != "" {
		p.Name = l.claims
	}
	return p
}

func (l *liar) Initiate(peer string, pins []policy.Fingerprint) (link.Handshake, error) {
	l.claims = ""
	return l.Authentication.Initiate(peer, pins)
}

// TestP1_C1_IdentitySwap: carol is a provisioned peer of bob, but her key does not make her alice
// for him, whatever her request says.
func TestP1_C1_IdentitySwap(t *testing.T) {
	for _, claims := range []string{"carol", "alice", "Carol", "carol.", "carol\x00"} {
		p := newPair(t)
		trust := pins{}
		carol, bob := nodeOf(t, "carol", 3, trust), nodeOf(t, "bob", 2, trust)
		for _, n := range []*auth.Authentication{carol, bob} {
			trust[n.Local().Name] = []policy.Fingerprint{n.Local().Fingerprint}
		}
		p.a.config.Auth, p.b.config.Auth = &liar{carol, claims}, bob
		p.b.link.Peer, p.b.link.Pins = "carol", trust["carol"]
		p.run()
		if honest := claims == "carol"; honest != (p.b.installed != nil) || honest != (p.a.installed != nil) || honest != (p.b.machine.Failed() == nil) {
			t.Errorf("carol as %q: responder %v, %v", claims, p.b.machine.State(), p.b.machine.Failed())
		}
		p.close()
	}
}

func nodeOf(t *testing.T, name string, seed byte, trust pins) *auth.Authentication {
	t.Helper()
	id, err := auth.NewIdentity(keyOf(seed), name, epoch)
	if err != nil {
		t.Fatal(err)
	}
	return auth.New(auth.Config{Identity: id, Trust: trust, Now: func() time.Time { return epoch }, Curves: []tls.CurveID{tls.X25519}})
}

// TestP1_WrongPinAtTheResponder: the initiator's key is not the pinned one.
func TestP1_WrongPinAtTheResponder(t *testing.T) {
	p := newPair(t)
	defer p.close()
	p.a.config.Auth = nodeOf(t, "alice", 9, pins{"bob": p.a.link.Pins})
	p.run()
	if _, ok := p.b.machine.Failed().(*link.RefusedError); !ok || p.a.installed != nil || p.b.installed != nil {
		t.Errorf("responder: %v", p.b.machine.Failed())
	}
}
