package link_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// message is the clear message in a datagram of SL-SRB0.
func message(t testing.TB, datagram []byte) []byte {
	t.Helper()
	_, pdu, err := underlay.Parse(datagram)
	if err != nil {
		t.Fatal(err)
	}
	_, sdu, err := pdcp.ParseUnprotected(pdu)
	if err != nil {
		t.Fatal(err)
	}
	return sdu
}

// relay sits between the ends and shows B another request than A sent. It keeps each side's
// conversation consistent: copies of the request and conversation tags are rewritten both ways,
// and so is what else it swaps.
type relay struct {
	toB, toA [][2][]byte // what is replaced by what
}

// follow makes the relay rewrite whatever follows from a change of the request. It knows the
// request once it has passed.
func (r *relay) follow(request, shown []byte) {
	tag, other := kei.Tag(request), kei.Tag(shown)
	r.toB = append(r.toB, [2][]byte{request, shown}, [2][]byte{tag[:], other[:]})
	r.toA = append(r.toA, [2][]byte{other[:], tag[:]})
}

func (r *relay) pass(d []byte, rules [][2][]byte) []byte {
	for _, rule := range rules {
		d = bytes.ReplaceAll(d, rule[0], rule[1])
	}
	return d
}

// relayed runs an establishment through a relay for 30 s; alter gives the request that B sees.
// source is the L2 ID that B sees A under, 0 for A's own.
func relayed(t *testing.T, source underlay.LayerTwoID, alter func(*pc5s.DirectLinkEstablishmentRequest), also func(*relay)) *network {
	t.Helper()
	n := newNetwork(t)
	r := &relay{}
	n.start()
	sdu := message(t, n.sent[0])
	msg, err := pc5s.Parse(bytes.Clone(sdu))
	if err != nil {
		t.Fatal(err)
	}
	alter(msg.(*pc5s.DirectLinkEstablishmentRequest))
	if shown := pc5s.Marshal(msg); !bytes.Equal(shown, sdu) {
		r.follow(sdu, shown)
	}
	also(r)
	own := n.a.config.Local
	end := n.now.Add(30 * time.Second)
	for n.now.Before(end) {
		for i := range n.queue {
			d := &n.queue[i]
			toB := d.to == n.b.address
			if source != 0 {
				readdress(d.datagram, toB, own, source)
			}
			if toB {
				d.datagram = r.pass(d.datagram, r.toB)
			} else {
				d.datagram = r.pass(d.datagram, r.toA)
			}
		}
		if !n.step(t, end) {
			break
		}
	}
	return n
}

// readdress changes the L2 ID that one side knows A under.
func readdress(d []byte, toB bool, own, shown underlay.LayerTwoID) {
	if toB {
		d[4], d[5], d[6] = byte(shown>>16), byte(shown>>8), byte(shown)
	} else {
		d[1], d[2], d[3] = byte(own>>16), byte(own>>8), byte(own)
	}
}

// parted demands that a relay got no link and no end has keys.
func parted(t *testing.T, n *network, what string) {
	t.Helper()
	defer n.close()
	if n.a.machine.State() == link.Established || n.a.installed != nil {
		t.Errorf("%s: the initiator has a link", what)
	}
	if m := n.b.machine; m == nil {
		t.Errorf("%s: the responder never came in, the relay is broken: %s", what, n.describe())
	} else if m.State() == link.Established || n.b.installed != nil {
		t.Errorf("%s: the responder has a link", what)
	}
}

// TestP02_Relay swaps what an attacker in the middle can: nonce, session ID half, both layer-2
// IDs, the X25519 shares of the handshake. There is no link and there are no keys at either end.
func TestP02_Relay(t *testing.T) {
	same, nothing := func(*pc5s.DirectLinkEstablishmentRequest) {}, func(*relay) {}
	plain := relayed(t, 0, same, nothing)
	if !plain.both(link.Established) {
		t.Fatalf("an honest relay gets no link: %s", plain.describe())
	}
	plain.close()
	parted(t, relayed(t, 0, func(r *pc5s.DirectLinkEstablishmentRequest) { r.Nonce1 = &[16]byte{1} }, nothing), "nonce")
	parted(t, relayed(t, 0, func(r *pc5s.DirectLinkEstablishmentRequest) {
		half := *r.KNRPSessMSB ^ 0x80
		if half == 0 { // no half is
			half = 1
		}
		r.KNRPSessMSB = &half
	}, nothing), "half of the session ID")
	parted(t, relayed(t, 0x00FACE, same, nothing), "layer-2 ID of A")
	parted(t, shares(t), "shares")
	n := newNetwork(t) // L2 ID of B: it first stands in the server flight
	n.before = func(d transit) {
		if h, _, _ := underlay.Parse(d.datagram); d.to == n.a.address && h.Source == n.b.config.Local {
			readdress(d.datagram[3:], false, 0x00FACE, 0)
		} else if d.to == n.b.address && h.Destination == 0x00FACE {
			readdress(d.datagram, false, n.b.config.Local, 0)
		}
	}
	n.start()
	n.rest(t, 30*time.Second)
	parted(t, n, "layer-2 ID of B")
}

// shares replaces both X25519 shares of the handshake by the relay's own.
func shares(t *testing.T) *network {
	t.Helper()
	own, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	n := newNetwork(t)
	group, swapped := []byte{0x00, 0x1d, 0x00, 0x20}, 0
	n.before = func(d transit) {
		if at := bytes.Index(d.datagram, group); at >= 0 && at+36 <= len(d.datagram) && d.datagram[7] == 0 {
			copy(d.datagram[at+4:], own.PublicKey().Bytes())
			swapped++
		}
	}
	n.start()
	n.rest(t, 30*time.Second)
	if swapped < 2 {
		t.Errorf("only %d shares were swapped", swapped)
	}
	return n
}

// TestR15_P3_BiddingDown clears each bit of the capabilities and weakens the policy in the
// request, with everything rewritten that follows from it. The key depends on the request's
// hash, so B's command does not verify: the initiator stays silent, and there is never a link.
// (Causes 8 and 10 are for a responder who echoes wrongly under a right MAC.)
func TestR15_P3_BiddingDown(t *testing.T) {
	nothing := func(*relay) {}
	reference := newPair(t)
	reference.start()
	capabilities := reference.a.machine.Sent().Capabilities
	reference.close()
	commands := 0
	silent := func(n *network, what string) {
		for _, d := range n.sent {
			if d[7] == 0 && message(t, d)[0] == 0x10 {
				t.Errorf("%s: the initiator answers by a security mode reject", what)
			}
		}
		// A bit that B needs makes it refuse; every other one lets it go on to its command.
		if slices.ContainsFunc(n.sent, func(d []byte) bool { return d[7] == byte(underlay.SRB1) }) {
			commands++
			if n.a.drops[link.DropUnverified] == 0 {
				t.Errorf("%s: the command was not refused: %v", what, n.a.drops)
			}
		}
		parted(t, n, what)
	}
	for bit := range 8 * len(capabilities) {
		if capabilities[bit/8]&(0x80>>(bit%8)) == 0 {
			continue
		}
		silent(relayed(t, 0, func(r *pc5s.DirectLinkEstablishmentRequest) {
			c := bytes.Clone(r.Capabilities)
			c[bit/8] &^= 0x80 >> (bit % 8)
			r.Capabilities = c
		}, nothing), "a capability less")
	}
	for _, p := range []policy.Protection{{Integrity: policy.Preferred, Ciphering: policy.Preferred}, {Integrity: policy.Required, Ciphering: policy.NotNeeded}, {}} {
		silent(relayed(t, 0, func(r *pc5s.DirectLinkEstablishmentRequest) { r.SecurityPolicy = pc5s.SecurityPolicy(p) }, nothing), "a weaker policy")
	}
	if commands < 2 {
		t.Errorf("only %d runs came to a command", commands)
	}
}
