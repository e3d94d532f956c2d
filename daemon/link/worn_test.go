package link_test

import (
	"testing"
	"time"

	"pc5d/daemon/link"
)

// TestT55_WornKeys: keys at a limit of the user plane are replaced, also where the first re-keying
// comes to nothing, and a word about older keys asks for nothing.
func TestT55_WornKeys(t *testing.T) {
	p := newPair(t)
	p.establish(t)
	defer p.close()
	p.pass(6 * time.Second)
	if n := p.sentIn(func() {
		p.a.machine.Exhausting(p.now, link.Name{Local: p.a.plane.name.Local, Peer: p.a.plane.name.Peer, Session: p.a.plane.name.Session + 1})
		p.drain(p.a)
	}); n != 0 {
		t.Errorf("%d datagrams for keys that are not there", n)
	}
	p.a.machine.Exhausting(p.now, p.a.plane.name)
	p.drain(p.a)
	p.queue = nil // lost; it is repeated
	p.pass(20 * time.Second)
	if p.a.rekeyed == 0 || p.a.rekeyed != p.b.rekeyed {
		t.Errorf("re-keyed %d and %d times", p.a.rekeyed, p.b.rekeyed)
	}
	p.planesFit(t)
}

// TestT55_WornBeforeUse: keys that come to a limit before they send, because somebody delays the re-keying, are
// replaced once they do.
func TestT55_WornBeforeUse(t *testing.T) {
	p := newPair(t)
	a := rested(t, p)
	defer p.close()
	p.command(t, a, func(now time.Time) error { return a.machine.Rekey(now) })
	p.until(t, func() bool { return len(p.b.plane.receives) == 2 })
	for n, k := range p.b.plane.receives {
		if k != p.b.plane.sends {
			p.b.machine.Exhausting(p.now, n)
			p.drain(p.b)
		}
	}
	p.pass(20 * time.Second)
	if p.b.rekeyed < 2 || p.a.rekeyed != p.b.rekeyed {
		t.Errorf("re-keyed %d and %d times", p.a.rekeyed, p.b.rekeyed)
	}
	p.planesFit(t)
}
