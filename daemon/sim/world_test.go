package sim_test

import (
	"os"
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/sim"
)

// pair is a world of alice and bob, who have a link; nobody has asked for it yet.
type pair struct {
	*sim.World
	t          *testing.T
	link       *sim.Link
	alice, bob *sim.Host
	proof      link.Proof // of the next establishment
	before     int        // datagrams of sessions before it
}

func newPair(t *testing.T, seed uint64) *pair {
	t.Helper()
	p := &pair{World: newWorld(t, seed), t: t}
	p.alice, p.bob = p.AddHost("alice"), p.AddHost("bob")
	p.link = p.Connect(p.alice, p.bob, "ip")
	return p
}

// newPairBy is a pair whose next establishment, once the daemons are started, is by a proof.
func newPairBy(t *testing.T, seed uint64, by link.Proof) *pair {
	t.Helper()
	p := newPair(t, seed)
	p.proof, p.link.PreShared = by, by == link.ByPreSharedKey
	return p
}

// byEachProof runs a test for each way in which two ends authenticate each other.
func byEachProof(t *testing.T, test func(t *testing.T, by link.Proof)) {
	t.Helper()
	for _, by := range []link.Proof{link.ByCertificate, link.ByKeptKey, link.ByPreSharedKey} {
		t.Run(by.String(), func(t *testing.T) { test(t, by) })
	}
}

// start starts both daemons. Where the next establishment is by a kept key there is a session
// before, in peace, which leaves one.
func (p *pair) start() {
	p.t.Helper()
	startAll(p.t, p.alice, p.bob)
	if p.proof != link.ByKeptKey {
		return
	}
	network := *p.Network
	p.Network.Conditions, p.Network.Filter = sim.Conditions{MinDelay: time.Millisecond, MaxDelay: time.Millisecond}, nil
	p.link.A.Up()
	p.within(10*time.Second, "a first session", p.link.Agreed)
	p.rest()
	p.Network.Conditions, p.Network.Filter = network.Conditions, network.Filter
	p.before = len(p.Attacker().Heard())
}

// rest takes the link down, and lets both ends come to rest.
func (p *pair) rest() {
	p.t.Helper()
	p.link.A.Down()
	p.within(10*time.Second, "both ends at rest", func() bool {
		return p.link.A.State() == "down" && p.link.B.State() == "down" && p.Machines(p.alice)+p.Machines(p.bob) == 0
	})
}

// heard is what hosts sent since the start of the establishment that the test is about.
func (p *pair) heard() []sim.Datagram { return p.Attacker().Heard()[p.before:] }

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
	p.up()
}

// up lets alice ask for the link, which the pair's proof makes.
func (p *pair) up() {
	p.t.Helper()
	p.link.A.Up()
	p.within(10*time.Second, "the link is established", p.link.Agreed)
	if got := p.link.A.Agreement().Proof; p.proof != 0 && got != p.proof {
		p.t.Errorf("established by %s, want %s", got, p.proof)
	}
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
