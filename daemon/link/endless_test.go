package link_test

import (
	"errors"
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
)

// impostor answers an initiator without any credentials: it has seen the request.
type impostor struct {
	p   *pair
	tag [8]byte
}

func newImpostor(t *testing.T) *impostor {
	t.Helper()
	p := newPair(t)
	p.start()
	p.queue = nil
	_, pdu, err := underlay.Parse(p.sent[0])
	if err != nil {
		t.Fatal(err)
	}
	_, request, err := pdcp.ParseUnprotected(pdu)
	if err != nil {
		t.Fatal(err)
	}
	return &impostor{p, kei.Tag(request)}
}

// says hands the initiator a message in the clear, and lets it answer.
func (i *impostor) says(source underlay.LayerTwoID, msg pc5s.Message) error {
	h := underlay.Header{Form: underlay.FormPDCP, Destination: i.p.a.config.Local, Source: source, LCID: underlay.SRB0}
	err := i.p.a.machine.Receive(i.p.now, i.p.b.address, pdcp.AppendUnprotected(h.AppendTo(nil), 0, pc5s.Marshal(msg)))
	i.p.drain(i.p.a)
	i.p.queue = nil
	return err
}

// asks sends an authentication request.
func (i *impostor) asks(source underlay.LayerTwoID, c kei.Container) error {
	c.Method, c.Tag = kei.TLS13, i.tag
	return i.says(source, &pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: c.AppendTo(nil)})
}

// goOn acknowledges the initiator's first flight until it is whole, and gives the next exchange.
func (i *impostor) goOn(t *testing.T) uint8 {
	t.Helper()
	if err := i.asks(underlay.Broadcast, kei.Container{Start: true, HasCookie: true, Cookie: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	exchange := uint8(1)
	for ; i.asks(0xBAD, kei.Container{Exchange: exchange, AckOnly: true}) == nil; exchange++ {
	}
	return exchange
}

// drip sends the octets of a record that never ends, each as a flight of its own.
func (i *impostor) drip(n int, exchange uint8) error {
	octet := []byte{0}
	if head := []byte{0x16, 3, 3, 0x40, 0}; n < len(head) {
		octet[0] = head[n]
	}
	return i.asks(0xBAD, kei.Container{Exchange: exchange, HasTotal: true, Total: 1, Fragment: octet})
}

// TestT33_EndlessHandshakeOfAResponder: whoever has seen a request gives an initiator flights of one
// octet without end. The initiator begins again, as after any bad flight, and gives up at last.
func TestT33_EndlessHandshakeOfAResponder(t *testing.T) {
	i := newImpostor(t)
	exchange, taken, n := i.goOn(t), 0, 0
	for ; taken < 1000 && i.p.a.machine.State() != link.Released; exchange++ {
		if err := i.drip(n, exchange); err != nil {
			t.Fatal(err)
		}
		taken, n = taken+1, n+1
		if len(i.p.sent[len(i.p.sent)-1]) > 200 {
			n = 0 // a first flight: it has begun again
		}
	}
	if s := i.p.a.machine.State(); s != link.Released || !errors.Is(i.p.a.machine.Failed(), link.ErrEndless) {
		t.Errorf("after %d flights the initiator is %s: %v", taken, s, i.p.a.machine.Failed())
	}
}

// TestT33_SlowHandshakeOfAResponder: the flights come one before each timer ends. The attempt ends
// all the same.
func TestT33_SlowHandshakeOfAResponder(t *testing.T) {
	i := newImpostor(t)
	exchange := i.goOn(t)
	begin := i.p.now
	for n := 0; i.p.now.Sub(begin) < 10*time.Minute; n++ {
		if i.drip(n, exchange) == nil {
			exchange++
		}
		i.p.now = i.p.now.Add(10 * time.Second)
		i.p.a.machine.Advance(i.p.now)
		if i.p.a.machine.State() == link.Released {
			return
		}
	}
	t.Errorf("after ten minutes the initiator is %s", i.p.a.machine.State())
}

// TestT11_HintsAreBounded: refusals that anyone can send tell people a few times, not as often as
// they come; the last one is the reason that is given in the end.
func TestT11_HintsAreBounded(t *testing.T) {
	i := newImpostor(t)
	for n := range 1000 {
		cause := pc5s.CauseNotAllowed
		if n%2 == 1 {
			cause = pc5s.CauseLackOfResources
		}
		h := underlay.Header{Form: underlay.FormPDCP, Destination: i.p.a.config.Local, Source: 0xBAD, LCID: underlay.SRB0}
		reject := pdcp.AppendUnprotected(h.AppendTo(nil), 0, pc5s.Marshal(&pc5s.DirectLinkEstablishmentReject{Cause: cause}))
		if err := i.p.a.machine.Receive(i.p.now, i.p.b.address, reject); !errors.Is(err, link.DropHint) {
			t.Fatal(err)
		}
	}
	hints := 0
	for e, ok := i.p.a.machine.Next(); ok; e, ok = i.p.a.machine.Next() {
		if _, ok := e.(link.Hint); ok {
			hints++
		}
	}
	if hints == 0 || hints > 8 {
		t.Errorf("%d hints of 1000 forged refusals", hints)
	}
}
