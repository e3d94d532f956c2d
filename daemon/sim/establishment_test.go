package sim_test

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/daemon/sim"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
)

// TestC1_T01_EachIE alters one IE of the establishment request on its way: once, always, and
// always together with the copy that goes with the cookie. Both ends agree on the request as
// alice sent it, or there is no link.
func TestC1_T01_EachIE(t *testing.T) {
	byEachProof(t, testEachIE)
}

func testEachIE(t *testing.T, by link.Proof) {
	fields := reflect.TypeFor[pc5s.DirectLinkEstablishmentRequest]()
	for i := range fields.NumField() {
		for _, where := range []string{"the first request", "every request", "every request and copy"} {
			t.Run(fields.Field(i).Name+" in "+where, func(t *testing.T) {
				p := newPairBy(t, 1, by)
				var genuine [][32]byte
				p.Network.Filter = func(d sim.Datagram) []sim.Datagram {
					h, sdu := clear(d)
					if h.Source == underlay.Broadcast || sdu == nil || d.From != p.alice.Address {
						return []sim.Datagram{d}
					}
					switch pc5s.MessageType(sdu[0]) {
					case pc5s.MessageDirectLinkEstablishmentRequest:
						if genuine = append(genuine, sha256.Sum256(sdu)); len(genuine) > 1 && where == "the first request" {
							break
						}
						return []sim.Datagram{inClear(d, h, alterRequest(t, sdu, i))}
					case pc5s.MessageDirectLinkAuthenticationResponse:
						if where == "every request and copy" {
							return []sim.Datagram{inClear(d, h, alterCopy(t, sdu, i))}
						}
					}
					return []sim.Datagram{d}
				}
				p.start()
				p.link.A.Up()
				p.RunUntil(20*time.Second, p.link.Agreed)
				p.sound()
				switch agreed := p.link.Agreed(); {
				case agreed && where != "the first request":
					t.Error("a link on an altered request")
				case !agreed && where == "the first request":
					t.Error("no link, although later requests are genuine")
				case agreed && !slices.Contains(genuine, p.link.A.Agreement().RequestHash):
					t.Error("the link's request is not one that alice sent")
				}
				p.live()
			})
		}
	}
}

// clear splits a datagram of SL-SRB0; nil: it is another.
func clear(d sim.Datagram) (underlay.Header, []byte) {
	h, pdu, err := underlay.Parse(d.Octets)
	if err != nil || h.LCID != underlay.SRB0 || h.Form != underlay.FormPDCP {
		return h, nil
	}
	_, sdu, err := pdcp.ParseUnprotected(pdu)
	if err != nil || len(sdu) == 0 {
		return h, nil
	}
	return h, sdu
}

func inClear(d sim.Datagram, h underlay.Header, sdu []byte) sim.Datagram {
	d.Octets = pdcp.AppendUnprotected(h.AppendTo(nil), 0, sdu)
	return d
}

func parse(t *testing.T, sdu []byte) pc5s.Message {
	t.Helper()
	m, err := pc5s.Parse(slices.Clone(sdu))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// alterRequest changes the i-th field of a request.
func alterRequest(t *testing.T, sdu []byte, i int) []byte {
	t.Helper()
	m := parse(t, sdu)
	field := reflect.ValueOf(m).Elem().Field(i)
	switch f := field.Addr().Interface().(type) {
	case *pc5s.SequenceNumber:
		*f++
	case *[]byte:
		(*f)[len(*f)-1] ^= 1
	case *pc5s.Capabilities:
		(*f)[0] ^= 0x40
	case *pc5s.SecurityPolicy:
		f.Ciphering = 0
	case **[16]byte:
		(*f)[0] ^= 1
	case **uint8:
		**f ^= 1
	case **uint32: // there is one where a kept key is named
		if *f == nil {
			*f = new(uint32)
		}
		**f ^= 1
	default:
		t.Fatalf("no way to alter %T", f)
	}
	return pc5s.Marshal(m)
}

// alterCopy changes the request that an authentication response carries; the tag follows.
func alterCopy(t *testing.T, sdu []byte, i int) []byte {
	t.Helper()
	m := parse(t, sdu).(*pc5s.DirectLinkAuthenticationResponse)
	c, err := kei.Parse(m.KeyEstablishmentInfo)
	if err != nil || !c.HasRequest {
		return sdu
	}
	c.Request = alterRequest(t, c.Request, i)
	c.Tag = kei.Tag(c.Request)
	m.KeyEstablishmentInfo = c.AppendTo(nil)
	return pc5s.Marshal(m)
}

// TestC4_T07_Mirror: an attacker sends every datagram back to its sender, as it is and as an
// answer. Nobody believes itself, and the link comes up.
func TestC4_T07_Mirror(t *testing.T) {
	byEachProof(t, func(t *testing.T, by link.Proof) {
		for _, both := range []bool{false, true} {
			p := newPairBy(t, 2, by)
			p.Network.Filter = p.Attacker().Mirror
			p.start()
			p.link.A.Up()
			if both {
				p.link.B.Up()
			}
			p.within(10*time.Second, "a link under reflection", p.link.Agreed)
			p.carries()
			p.live()
		}
	})
}

// TestT11_ForgedNegatives: in front of each genuine message comes every refusal that anyone can
// forge. The first attempt succeeds all the same.
func TestT11_ForgedNegatives(t *testing.T) {
	byEachProof(t, func(t *testing.T, by link.Proof) {
		p := newPairBy(t, 3, by)
		p.Network.Filter = p.Attacker().Before(p.Attacker().Negatives)
		p.start()
		attempts := p.Attempts(p.alice)
		p.up()
		if n := p.Attempts(p.alice) - attempts; n != 1 {
			t.Errorf("%d attempts, want 1", n)
		}
		p.carries()
		if s := p.alice.Status(p.link.A); s.Hint != "" {
			t.Errorf("an established link shows the hint %q", s.Hint)
		}
		p.live()
	})
}

// TestT12_ForgedFlights: in front of each genuine message comes everything that one without
// keys can make. No link is ever wrong, and it comes up when he stops.
func TestT12_ForgedFlights(t *testing.T) {
	byEachProof(t, func(t *testing.T, by link.Proof) {
		p := newPairBy(t, 4, by)
		p.Network.Filter = p.Attacker().Before(p.Attacker().Forgeries)
		p.start()
		p.link.A.Up()
		p.Run(30 * time.Second)
		p.live()
	})
}

// TestT14_SameLayerTwoID: requests with the L2 ID of a live peer change nothing about its link;
// whoever answers them does it under an L2 ID of his own.
func TestT14_SameLayerTwoID(t *testing.T) {
	byEachProof(t, func(t *testing.T, by link.Proof) {
		p := newPairBy(t, 5, by)
		p.establish()
		before := p.link.B.Agreement()
		for _, d := range p.Attacker().Heard() {
			h, sdu := clear(d)
			if sdu == nil || d.From != p.alice.Address || pc5s.MessageType(sdu[0]) != pc5s.MessageDirectLinkEstablishmentRequest {
				continue
			}
			p.Attacker().Elsewhere(d)
			h.Destination = p.link.B.Agreement().LayerTwoB
			p.Attacker().Replay(inClear(d, h, sdu))
		}
		p.Run(time.Second)
		p.carries()
		if p.link.B.Agreement() != before || p.Machines(p.bob) != 1 {
			t.Errorf("bob has %d machines", p.Machines(p.bob))
		}
		p.live()
	})
}

// TestT15_Matrix loses, and in other runs doubles, every subset of the first datagrams of an
// establishment. The link comes up, once.
func TestT15_Matrix(t *testing.T) {
	byEachProof(t, testMatrix)
}

func testMatrix(t *testing.T, by link.Proof) {
	const depth = 12
	stride := 331 // a prime: every part of the matrix is touched
	if full() {
		stride = 1
	}
	for subset := 0; subset < 1<<depth; subset += stride {
		t.Run(fmt.Sprintf("%b", subset), func(t *testing.T) { // each lets its worlds go
			testSubset(t, by, subset, depth)
		})
	}
}

func testSubset(t *testing.T, by link.Proof, subset, depth int) {
	for _, fault := range []int{0, 2} { // how many arrive
		p := newPairBy(t, uint64(subset), by)
		n := 0
		p.Network.Filter = func(d sim.Datagram) []sim.Datagram {
			n++
			if n <= depth && subset&(1<<(n-1)) != 0 {
				return slices.Repeat([]sim.Datagram{d}, fault)
			}
			return []sim.Datagram{d}
		}
		p.start()
		p.link.A.Up()
		p.within(60*time.Second, fmt.Sprintf("a link, subset %b arrives %d times", subset, fault), p.link.Agreed)
		p.carries()
		p.Close()
	}
}

// TestT90_Loss: with up to 30 % loss, doubled, reordered and damaged datagrams the link comes
// up within 60 s.
func TestT90_Loss(t *testing.T) {
	byEachProof(t, testLoss)
}

func testLoss(t *testing.T, by link.Proof) {
	seeds := 3
	if full() {
		seeds = 50
	}
	for _, c := range []sim.Conditions{
		{Loss: 0.1, MaxDelay: 10 * time.Millisecond},
		{Loss: 0.3, MaxDelay: 50 * time.Millisecond},
		{Loss: 0.3, Duplicate: 0.2, Corrupt: 0.05, MaxDelay: 200 * time.Millisecond},
		{Duplicate: 0.5, MaxDelay: 500 * time.Millisecond},
	} {
		for seed := range seeds {
			p := newPairBy(t, uint64(seed), by)
			p.alice.Hybrid = seed%2 == 1
			p.Network.Conditions = c
			p.start()
			p.link.A.Up()
			p.within(60*time.Second, fmt.Sprintf("a link under %+v", c), p.link.Agreed)
			p.live()
		}
	}
}

// TestT15_LostCommand: the command of psk-dhe is lost, once or more often. It comes again for the
// repeated request, in the same attempt, whatever becomes of a kept key.
func TestT15_LostCommand(t *testing.T) {
	for _, by := range []link.Proof{link.ByKeptKey, link.ByPreSharedKey} {
		for lost := range 3 {
			p := newPairBy(t, 6, by)
			p.start()
			attempts, commands := p.Attempts(p.alice), 0
			p.Network.Filter = func(d sim.Datagram) []sim.Datagram {
				if h, _, err := underlay.Parse(d.Octets); err == nil && h.LCID == underlay.SRB1 && d.From == p.bob.Address {
					if commands++; commands <= lost {
						return nil
					}
				}
				return []sim.Datagram{d}
			}
			p.link.A.Up()
			p.within(15*time.Second, fmt.Sprintf("a link by %v after %d lost commands", by, lost), p.link.Agreed)
			if n := p.Attempts(p.alice) - attempts; n != 1 || p.link.A.Agreement().Proof != by {
				t.Errorf("%v, %d commands lost: %d attempts, at last by %v", by, lost, n, p.link.A.Agreement().Proof)
			}
		}
	}
}

// TestT16_ForgottenUnderWay: the operator ends the kept keys at one end, after each step of an
// establishment by one. Unless it was over, the link that comes up is by a full authentication, and
// leaves the keys that this one made.
func TestT16_ForgottenUnderWay(t *testing.T) {
	for i := range 2 {
		for step := 0; ; step++ {
			p := newPairBy(t, 14, link.ByKeptKey)
			p.start()
			p.link.A.Up()
			for range step {
				p.Step()
			}
			end := p.link.Ends()[i]
			end.Host.ForgetKeys()
			p.Run(0) // what waits in the queues has its turn
			over := end.LayerTwo() != link.Name{}
			p.within(20*time.Second, "a link", p.link.Agreed)
			p.Run(time.Second)
			p.within(20*time.Second, "a link", p.link.Agreed)
			if got := p.link.A.Agreement().Proof; got != link.ByCertificate && !over {
				t.Errorf("%s forgets after %d steps: a link by %s", end.Host.Name, step, got)
			}
			p.Close()
			if over {
				break
			}
		}
	}
}
