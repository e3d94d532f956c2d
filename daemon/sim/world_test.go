package sim_test

import (
	"os"
	"testing"
	"time"

	"pc5d/daemon/sim"
)

// pair is a world of alice and bob, who have a link; nobody has asked for it yet.
type pair struct {
	*sim.World
	t          *testing.T
	link       *sim.Link
	alice, bob *sim.Host
}

func newPair(t *testing.T, seed uint64) *pair {
	t.Helper()
	p := &pair{World: newWorld(t, seed), t: t}
	p.alice, p.bob = p.AddHost("alice"), p.AddHost("bob")
	p.link = p.Connect(p.alice, p.bob, "ip")
	return p
}

// start starts both daemons.
func (p *pair) start() {
	p.t.Helper()
	startAll(p.t, p.alice, p.bob)
}

func startAll(t *testing.T, hosts ...*sim.Host) {
	t.Helper()
	for _, h := range hosts {
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
	}
}

// establish starts both, and alice asks for the link.
func (p *pair) establish() {
	p.t.Helper()
	p.start()
	p.link.A.Up()
	p.within(10*time.Second, "the link is established", p.link.Agreed)
}

// within demands that something comes true, and that no invariant breaks.
func (p *pair) within(limit time.Duration, what string, done func() bool) {
	p.t.Helper()
	if !p.RunUntil(limit, done) {
		p.t.Errorf("not within %v: %s: alice %q, bob %q", limit, what, p.link.A.State(), p.link.B.State())
	}
	p.sound()
}

// never demands that something does not come true for a while.
func (p *pair) never(limit time.Duration, what string, done func() bool) {
	p.t.Helper()
	if p.RunUntil(limit, done) {
		p.t.Errorf("within %v: %s", limit, what)
	}
	p.sound()
}

// carries demands that packets pass both ways.
func (p *pair) carries() {
	p.t.Helper()
	p.within(5*time.Second, "packets pass both ways", p.link.Proof())
}

// live is the last word of most tests.
func (p *pair) live() {
	p.t.Helper()
	if err := p.Liveness(); err != nil {
		p.t.Error(err)
	}
	p.sound()
}

func (p *pair) sound() {
	p.t.Helper()
	for _, err := range p.Faults() {
		p.t.Error(err)
	}
	if p.t.Failed() {
		failed(p.t, p.World, errBroken)
		p.t.FailNow()
	}
}

// full tells whether the big matrices are wanted: make sim wants them.
func full() bool { return os.Getenv("SIM_FULL") != "" }
