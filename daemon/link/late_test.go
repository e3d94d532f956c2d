package link_test

import (
	"testing"
	"time"

	"pc5d/daemon/link"
)

// TestRekeying_LateResponse: the complete arrives, and the response comes, later than the grace time after the
// complete was sent. What the peer sent under the old keys until then was received.
func TestRekeying_LateResponse(t *testing.T) {
	p := newPair(t)
	rested(t, p)
	defer p.close()
	p.command(t, p.a, p.a.machine.Rekey)
	p.arrive()
	p.arrive()
	late := p.queue
	back := p.now.Add(p.a.config.Timers.Grace + 500*time.Millisecond)
	p.queue, p.lose = nil, func(int) bool { return p.now.Before(back) }
	for p.now.Before(back) {
		p.pass(100 * time.Millisecond)
		p.planesFit(t)
	}
	p.queue = late
	p.pass(time.Second)
	if p.a.rekeyed != 1 || p.b.rekeyed != 1 || p.a.machine.State() != link.Established {
		t.Errorf("re-keyed %d and %d; a %v (%v)", p.a.rekeyed, p.b.rekeyed, p.a.machine.State(), p.a.machine.Failed())
	}
	p.agree(t, "late response")
}
