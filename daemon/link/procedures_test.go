package link_test

import (
	"errors"
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
)

// sentIn returns what happened to the number of datagrams while f ran.
func (p *pair) sentIn(f func()) int {
	before := len(p.sent)
	f()
	return len(p.sent) - before
}

// both are the ends in the order of who starts.
func (p *pair) swap() { p.a, p.b = p.b, p.a }

// TestRekeying: either end starts it, again and again; keys and K_NRP-sess ID change, user data
// can pass all the time, and the old keys end after the grace time.
func TestRekeying(t *testing.T) {
	p := newPair(t)
	p.establish(t)
	defer p.close()
	for i := range 6 {
		before, session := p.a.plane.sends, p.a.plane.name.Session
		p.pass(6 * time.Second)
		if err := p.a.machine.Rekey(p.now); err != nil {
			t.Fatal(err)
		}
		p.drain(p.a)
		for len(p.queue) > 0 { // the planes fit at every step
			d := p.queue[0]
			p.queue = p.queue[1:]
			if d.to == p.a.address {
				p.receive(p.a, d)
			} else {
				p.receive(p.b, d)
			}
			p.planesFit(t)
		}
		p.agree(t, "re-keying %d", i)
		if p.a.rekeyed != i+1 || p.b.rekeyed != i+1 || p.a.plane.sends == before || p.a.plane.name.Session == session {
			t.Fatalf("re-keying %d: a %d, b %d, keys the same %v; drops %v %v", i, p.a.rekeyed, p.b.rekeyed, p.a.plane.sends == before, p.a.drops, p.b.drops)
		}
		if len(p.a.plane.receives) != 2 || len(p.b.plane.receives) != 2 {
			t.Errorf("re-keying %d: %d and %d contexts receive", i, len(p.a.plane.receives), len(p.b.plane.receives))
		}
		p.swap()
	}
	p.pass(11 * time.Second)
	if len(p.a.plane.receives) != 1 || len(p.b.plane.receives) != 1 {
		t.Errorf("after the grace time: %d and %d contexts receive", len(p.a.plane.receives), len(p.b.plane.receives))
	}
}

// TestRekeying_LossOfEach loses each datagram of a re-keying once.
func TestRekeying_LossOfEach(t *testing.T) {
	for lost := range 4 {
		p := newPair(t)
		p.establish(t)
		p.pass(6 * time.Second)
		base := len(p.sent)
		p.lose = func(index int) bool { return index == base+lost }
		if err := p.a.machine.Rekey(p.now); err != nil {
			t.Fatal(err)
		}
		p.drain(p.a)
		p.pass(4 * time.Second)
		if p.a.rekeyed != 1 || p.b.rekeyed != 1 {
			t.Errorf("lost %d: a %d, b %d", lost, p.a.rekeyed, p.b.rekeyed)
		}
		p.agree(t, "lost %d", lost)
		p.close()
	}
}

// TestT55_RekeyingByAge: keys are replaced at their soft age.
func TestT55_RekeyingByAge(t *testing.T) {
	p := newPair(t)
	p.establish(t)
	defer p.close()
	p.pass(time.Hour + 10*time.Second)
	if p.a.rekeyed == 0 || p.a.rekeyed != p.b.rekeyed {
		t.Errorf("re-keyed %d and %d times in an hour", p.a.rekeyed, p.b.rekeyed)
	}
	p.planesFit(t)
}

// TestT55_KeyEnd: keys that can not be replaced are not used after their end.
func TestT55_KeyEnd(t *testing.T) {
	p := newPair(t)
	p.a.config.Timers.RekeyEvery, p.b.config.Timers.RekeyEvery = 0, 0
	p.establish(t)
	p.pass(2*time.Hour + time.Second)
	if !errors.Is(p.a.machine.Failed(), link.ErrKeyEnd) && !errors.Is(p.b.machine.Failed(), link.ErrKeyEnd) {
		t.Errorf("a %v, b %v", p.a.machine.Failed(), p.b.machine.Failed())
	}
	if p.a.plane.sends != nil || p.b.plane.sends != nil {
		t.Error("an end still sends")
	}
}

// TestUpdate: new keys and then new names at both ends; every datagram in between reaches
// somebody who knows its name, and the old name ends after the grace time.
func TestUpdate(t *testing.T) {
	p := newPair(t)
	p.establish(t)
	defer p.close()
	for i := range 4 {
		p.pass(6 * time.Second)
		name, sends := p.a.plane.name, p.a.plane.sends
		if err := p.a.machine.UpdateIdentifiers(p.now); err != nil {
			t.Fatal(err)
		}
		p.drain(p.a)
		p.deliver()
		p.planesFit(t)
		now := p.a.plane.name
		if now.Local == name.Local || now.Peer == name.Peer || p.a.plane.sends == sends {
			t.Fatalf("update %d: %v became %v; %v %v", i, name, now, p.a.drops, p.b.drops)
		}
		if p.b.plane.name.Local != now.Peer || p.b.plane.name.Session != now.Session {
			t.Fatalf("update %d: a %v, b %v", i, now, p.b.plane.name)
		}
		p.swap()
	}
	p.pass(11 * time.Second)
	if len(p.a.plane.receives) != 1 || len(p.b.plane.receives) != 1 {
		t.Errorf("after the grace time: %v, %v", p.a.plane.receives, p.b.plane.receives)
	}
}

// TestUpdate_LossOfEach loses each datagram of the joint run once.
func TestUpdate_LossOfEach(t *testing.T) {
	for lost := range 7 {
		p := newPair(t)
		p.establish(t)
		p.pass(6 * time.Second)
		base := len(p.sent)
		p.lose = func(index int) bool { return index == base+lost }
		if err := p.a.machine.UpdateIdentifiers(p.now); err != nil {
			t.Fatal(err)
		}
		p.drain(p.a)
		p.pass(8 * time.Second)
		if p.a.plane.name.Local == p.a.config.Local || p.a.plane.name.Local != p.b.plane.name.Peer || p.a.machine.Running() != link.NoProcedure || p.b.machine.Running() != link.NoProcedure {
			t.Errorf("lost %d: a %v %v, b %v %v", lost, p.a.plane.name, p.a.machine.Running(), p.b.plane.name, p.b.machine.Running())
		}
		p.planesFit(t)
		p.close()
	}
}

// TestUpdate_T5090: the lifetime of the own layer-2 ID ends by itself.
func TestUpdate_T5090(t *testing.T) {
	p := newPair(t)
	p.a.config.Timers.T5090 = 5 * time.Minute
	p.establish(t)
	defer p.close()
	p.pass(5*time.Minute + time.Second)
	if p.a.plane.name.Local == p.a.config.Local {
		t.Error("no update within T5090")
	}
	p.planesFit(t)
}

// TestKeepAlive: an idle link asks rarely, an unanswered packet soon, and a dead peer ends it.
func TestKeepAlive(t *testing.T) {
	p := newPair(t)
	p.establish(t)
	if n := p.sentIn(func() { p.pass(59 * time.Second) }); n != 0 {
		t.Errorf("%d datagrams in an idle minute", n)
	}
	if n := p.sentIn(func() { p.pass(3 * time.Second) }); n < 2 || n > 4 {
		t.Errorf("%d datagrams after an idle minute, want request and response", n)
	}
	p.a.machine.Stirred(p.now)
	if n := p.sentIn(func() { p.pass(2500 * time.Millisecond) }); n != 2 {
		t.Errorf("%d datagrams after an unanswered packet, want request and response", n)
	}
	p.a.machine.Stirred(p.now)
	p.a.machine.Heard(10)
	if n := p.sentIn(func() { p.pass(2500 * time.Millisecond) }); n != 0 {
		t.Errorf("%d datagrams after a packet that was answered, want none", n)
	}
	p.lose = func(int) bool { return true }
	p.a.machine.Stirred(p.now)
	p.pass(20 * time.Second)
	var unanswered *link.UnansweredError
	if !errors.As(p.a.machine.Failed(), &unanswered) || p.a.plane.sends != nil {
		t.Errorf("dead peer: %v %v", p.a.machine.State(), p.a.machine.Failed())
	}
	p.close()
}

// TestKeepAlive_Inactivity: an end that announced it gets released when nothing comes (T5086).
func TestKeepAlive_Inactivity(t *testing.T) {
	p := newPair(t)
	p.a.config.Timers.Inactivity = 3 * time.Minute
	p.establish(t)
	p.pass(2 * time.Minute)
	p.lose = func(int) bool { return true }
	p.b.config.Timers.T5084 = 0
	p.pass(10 * time.Minute)
	if p.b.machine.State() != link.Released {
		t.Errorf("b: %v", p.b.machine.State())
	}
	p.close()
}

// TestModification: what a link can not become is rejected with its cause.
func TestModification(t *testing.T) {
	for _, c := range []struct {
		name    string
		request pc5s.DirectLinkModificationRequest
		ok      bool
	}{
		{"flows", pc5s.DirectLinkModificationRequest{Operation: pc5s.ModificationAddFlows, QoSFlowDescriptions: pc5s.DefaultQoS()}, true},
		{"own service", pc5s.DirectLinkModificationRequest{Operation: pc5s.ModificationAssociateServices, ProSeIdentifiers: pc5s.ServiceIdentifier("ip")}, true},
		{"other service", pc5s.DirectLinkModificationRequest{Operation: pc5s.ModificationAssociateServices, ProSeIdentifiers: pc5s.ServiceIdentifier("video")}, false},
		{"last service", pc5s.DirectLinkModificationRequest{Operation: pc5s.ModificationRemoveServices, ProSeIdentifiers: pc5s.ServiceIdentifier("ip")}, false},
		{"no flows", pc5s.DirectLinkModificationRequest{Operation: pc5s.ModificationAddFlows}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t)
			p.establish(t)
			defer p.close()
			if err := p.a.machine.Modify(p.now, &c.request); err != nil {
				t.Fatal(err)
			}
			p.drain(p.a)
			p.deliver()
			if len(p.a.concluded) != 1 || (p.a.concluded[0].Err == nil) != c.ok {
				t.Errorf("got %v", p.a.concluded)
			}
			if !c.ok && !errors.Is(p.a.concluded[0].Err, link.ErrModificationRejected) {
				t.Errorf("got %v", p.a.concluded[0].Err)
			}
		})
	}
}

// TestT37_Hint: a hint asks the peer under protection, once a second at most, and ends nothing.
func TestT37_Hint(t *testing.T) {
	p := newPair(t)
	p.establish(t)
	defer p.close()
	p.pass(5 * time.Second)
	name := p.a.plane.name
	hint := []byte{0x12, byte(name.Local >> 16), byte(name.Local >> 8), byte(name.Local), byte(name.Peer >> 16), byte(name.Peer >> 8), byte(name.Peer), 2}
	n := p.sentIn(func() {
		for range 100 {
			p.a.machine.Receive(p.now, p.b.address, hint)
			p.drain(p.a)
			p.pass(10 * time.Millisecond)
		}
	})
	if n == 0 || n > 4 || p.a.machine.State() != link.Established {
		t.Errorf("100 hints in a second: %d datagrams, %v", n, p.a.machine.State())
	}
}
