package link_test

import (
	"bytes"
	"testing"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
)

// forgedFlight makes an authentication request as an attacker on the path can: he has seen the
// establishment request and answers before B does.
func forgedFlight(t *testing.T, request []byte, source, to underlay.LayerTwoID, exchange uint8, flight []byte) []byte {
	t.Helper()
	_, pdu, err := underlay.Parse(request)
	if err != nil {
		t.Fatal(err)
	}
	_, sdu, err := pdcp.ParseUnprotected(pdu)
	if err != nil {
		t.Fatal(err)
	}
	c := kei.Container{Method: kei.TLS13, Tag: kei.Tag(sdu), Exchange: exchange, HasTotal: true, Total: uint32(len(flight)), Fragment: flight}
	msg := &pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: c.AppendTo(nil)}
	h := underlay.Header{Destination: to, Source: source, LCID: underlay.SRB0}
	return pdcp.AppendUnprotected(h.AppendTo(nil), 0, pc5s.Marshal(msg))
}

// TestT12_ForgedFlight: a forged server flight before each genuine one costs a handshake and not
// the attempt; one with a wrong tag costs nothing; and there is an end of it.
func TestT12_ForgedFlight(t *testing.T) {
	garbage := bytes.Repeat([]byte{0x16, 3, 3, 0, 4, 2, 0, 0, 0}, 3)
	for _, c := range []struct {
		name   string
		times  int
		linked bool
	}{{"once", 1, true}, {"seven times", 7, true}, {"for ever", 100, false}} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t)
			defer p.close()
			forged := 0
			p.before = func(d transit) { // A's first flight is on its way: the attacker is faster
				h, _, err := underlay.Parse(d.datagram)
				if err != nil || h.LCID != underlay.SRB0 || d.to != p.b.address || len(d.datagram) < 200 || h.Destination != underlay.Broadcast || forged >= c.times {
					return
				}
				forged++
				bad := forgedFlight(t, p.sent[0], 0x666, p.a.config.Local, uint8(forged), garbage)
				p.a.machine.Receive(p.now, p.b.address, bad)
				p.drain(p.a)
			}
			p.run()
			if linked := p.a.machine.State() == link.Established; linked != c.linked {
				t.Errorf("%d forged flights: a %v (%v), drops %v %v", forged, p.a.machine.State(), p.a.machine.Failed(), p.a.drops, p.b.drops)
			}
			p.agree(t, "forged")
		})
	}
	t.Run("wrong tag", func(t *testing.T) {
		p := newPair(t)
		defer p.close()
		p.start()
		p.arrive() // request
		p.arrive() // cookie
		bad := forgedFlight(t, append(bytes.Clone(p.sent[0]), 0), 0x666, p.a.config.Local, 1, garbage)
		if err := p.a.machine.Receive(p.now, p.b.address, bad); err != link.DropConversation {
			t.Errorf("got %v", err)
		}
		p.settle()
		if p.a.machine.State() != link.Established {
			t.Errorf("a %v", p.a.machine.State())
		}
	})
}
