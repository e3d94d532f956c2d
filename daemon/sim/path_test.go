package sim_test

import (
	"fmt"
	"testing"
	"time"

	"pc5d/daemon/sim"
)

// narrow makes the path of both ends lose what is longer, without a word.
func (p *pair) narrow(mtu int) {
	p.Network.Filter = func(d sim.Datagram) []sim.Datagram {
		if len(d.Octets)+28 > mtu {
			return nil
		}
		return []sim.Datagram{d}
	}
}

// content is what the records of both ends have, while no end searches.
func (p *pair) content(n int) bool {
	for _, e := range p.link.Ends() {
		if path := e.Host.Status(e).Path; path == nil || path.Searching || path.Content != n {
			return false
		}
	}
	return true
}

// busy sends packets of all kinds both ways, and counts those that neither arrived nor came back.
func (p *pair) busy(d time.Duration) (lost int) {
	p.t.Helper()
	sent, delivered := p.Packets()
	told := p.TooBig()
	for i := range int(d / (20 * time.Millisecond)) {
		f := []sim.Family{sim.IPv4, sim.IPv6}[i%2]
		n := []int{200, 1280, 1396}[i/2%3]
		p.link.A.Send(f, n)
		p.link.B.Send(f, n)
		p.Run(20 * time.Millisecond)
	}
	p.Run(200 * time.Millisecond)
	p.sound()
	afterSent, afterDelivered := p.Packets()
	return afterSent - sent - (afterDelivered - delivered) - (p.TooBig() - told)
}

// TestT59_PathFound: a link finds what its path takes, and no packet is lost meanwhile: it arrives, or its
// sender is told.
func TestT59_PathFound(t *testing.T) {
	for mtu, want := range map[int]int{9000: 1408, 1500: 1408, 1468: 1408, 1467: 1280, 1400: 1280, 1339: 1152, 1280: 1152} {
		t.Run(fmt.Sprint(mtu), func(t *testing.T) {
			p := newPair(t, uint64(mtu))
			p.alice.Hybrid, p.bob.Hybrid = mtu == 1280, mtu == 1280 // the longest signalling
			p.narrow(mtu)
			p.establish()
			if lost := p.busy(6 * time.Second); lost != 0 {
				t.Errorf("%d packets were lost", lost)
			}
			if !p.content(want) {
				t.Errorf("path %+v, want %d", p.alice.Status(p.link.A).Path, want)
			}
			if want < 1408 == (p.TooBig() == 0) {
				t.Errorf("%d senders were told", p.TooBig())
			}
			p.live()
		})
	}
}

// TestT59_PathNarrows: a path that becomes narrow without a word is noticed within seconds while it is used,
// for good, also beside new keys and identifiers, and found again when it is wide.
func TestT59_PathNarrows(t *testing.T) {
	p := newPair(t, 1)
	p.establish()
	p.busy(time.Second)
	if !p.content(1408) {
		t.Fatalf("path %+v", p.alice.Status(p.link.A).Path)
	}
	p.narrow(1400)
	lost := p.busy(6 * time.Second)
	t.Logf("%d packets were lost in a black hole", lost)
	if !p.content(1280) {
		t.Fatalf("path %+v", p.alice.Status(p.link.A).Path)
	}
	p.link.A.Rekey()
	lost = p.busy(3 * time.Second)
	p.link.B.UpdateIdentifiers()
	if lost += p.busy(3 * time.Second); lost != 0 {
		t.Errorf("%d packets were lost on a path that is known", lost)
	}
	p.narrow(1280)
	p.busy(10 * time.Second)
	if lost := p.busy(time.Second); lost != 0 || !p.content(1152) {
		t.Errorf("%d packets were lost; path %+v", lost, p.alice.Status(p.link.A).Path)
	}
	p.narrow(1500)
	if lost := p.busy(40 * time.Second); lost != 0 || !p.content(1408) {
		t.Errorf("%d packets were lost; path %+v", lost, p.alice.Status(p.link.A).Path)
	}
	p.live()
}

// TestT59_OwnInterfaceNarrows: what the own host refuses is known at once.
func TestT59_OwnInterfaceNarrows(t *testing.T) {
	p := newPair(t, 1)
	p.establish()
	p.busy(2 * time.Second)
	p.alice.MTU, p.bob.MTU = 1280, 1280
	lost := p.busy(1200 * time.Millisecond)
	if !p.content(1152) {
		t.Fatalf("path %+v", p.alice.Status(p.link.A).Path)
	}
	t.Logf("%d packets were lost", lost)
	p.alice.MTU, p.bob.MTU = 0, 0
	if lost := p.busy(33 * time.Second); lost != 0 || !p.content(1408) {
		t.Errorf("%d packets were lost; path %+v", lost, p.alice.Status(p.link.A).Path)
	}
	p.live()
}

// TestT59_IdlePath: a link without traffic sends nothing because of its path.
func TestT59_IdlePath(t *testing.T) {
	p := newPair(t, 1)
	p.establish()
	p.busy(time.Second)
	p.Run(20 * time.Second)
	before := p.Network.Sent()
	p.Run(50 * time.Second)
	if n := p.Network.Sent() - before; n > 4 { // a keep-alive
		t.Errorf("%d datagrams in 50 s", n)
	}
}

// TestT59_Standard: the standard form has no probes. What the own host refuses counts, senders are told of
// what does not pass, and packets that fit pass.
func TestT59_Standard(t *testing.T) {
	p := newPair(t, 1)
	words := standardWords("pdcp", 2, true, true)
	p.link.A.Words, p.link.B.Words = words, words
	p.establish()
	p.alice.MTU, p.bob.MTU = 1280, 1280
	for range 4 {
		for _, n := range []int{1396, 1280} {
			p.link.A.Send(sim.IPv6, n)
			p.link.B.Send(sim.IPv6, n)
		}
		p.Run(10 * time.Millisecond)
	}
	if !p.content(1152) || p.TooBig() == 0 {
		t.Fatalf("path %+v, %d senders were told", p.alice.Status(p.link.A).Path, p.TooBig())
	}
	sent, delivered := p.Packets()
	p.link.A.Send(sim.IPv4, 1167)
	p.link.B.Send(sim.IPv6, 1167)
	p.Run(time.Second)
	if afterSent, afterDelivered := p.Packets(); afterSent-sent != 2 || afterDelivered-delivered != 2 {
		t.Errorf("%d of %d packets arrived", afterDelivered-delivered, afterSent-sent)
	}
	p.alice.MTU, p.bob.MTU = 0, 0
	p.Run(31 * time.Second)
	if !p.content(1408) {
		t.Errorf("path %+v", p.alice.Status(p.link.A).Path)
	}
	p.live()
}
