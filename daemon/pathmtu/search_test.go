package pathmtu_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pc5d/daemon/pathmtu"
	"pc5d/dataplane/record"
)

const (
	step    = 50 * time.Millisecond
	latency = 20 * time.Millisecond
)

// path is a path that a search finds its way over: a datagram of more content than it takes is lost.
type path struct {
	search *pathmtu.Search
	now    time.Time
	takes  int // content
	local  bool
	lost   func() bool
	probes []pathmtu.Probe
	coming []answer
}

type answer struct {
	at    time.Time
	token record.Token
}

func newPath(takes int, seed uint64) *path {
	p := &path{takes: takes, now: time.Unix(1000, 0), lost: func() bool { return false }}
	p.search = pathmtu.New(p.now, rand.NewChaCha8([32]byte{byte(seed)}))
	return p
}

// deliver does with probes what the path does.
func (p *path) deliver() {
	for {
		probe, ok := p.search.Next()
		if !ok {
			return
		}
		p.probes = append(p.probes, probe)
		switch {
		case probe.ContentLen > p.takes && p.local:
			p.search.Refused(p.now, probe.Token)
		case probe.ContentLen <= p.takes && !p.lost():
			p.coming = append(p.coming, answer{p.now.Add(latency), probe.Token})
		}
	}
}

// run lets time pass, with or without records being sent.
func (p *path) run(d time.Duration, busy bool) {
	for end := p.now.Add(d); p.now.Before(end); p.now = p.now.Add(step) {
		p.deliver()
		for len(p.coming) > 0 && !p.now.Before(p.coming[0].at) {
			p.search.Answered(p.now, p.coming[0].token)
			p.coming = p.coming[1:]
		}
		if busy && p.search.Idle() {
			p.search.Sent(p.now)
		}
		if at := p.search.Deadline(); !at.IsZero() && !p.now.Before(at) {
			p.search.Advance(p.now)
		}
	}
}

func (p *path) want(t *testing.T, length int, searching bool) {
	t.Helper()
	if got := p.search.ContentLen(); got != length || p.search.Searching() != searching {
		t.Fatalf("content length %d, searching %v; want %d, %v", got, p.search.Searching(), length, searching)
	}
}

// TestT59_Finds: a new path is searched from the longest length down; records have the base length
// meanwhile.
func TestT59_Finds(t *testing.T) {
	for _, tt := range []struct {
		takes, length int
		within        time.Duration
	}{
		{1408, 1408, 100 * time.Millisecond}, {9000, 1408, 100 * time.Millisecond}, {1400, 1280, 2300 * time.Millisecond},
		{1280, 1280, 2300 * time.Millisecond}, {1279, 1152, 4400 * time.Millisecond}, {1152, 1152, 4400 * time.Millisecond},
	} {
		p := newPath(tt.takes, 1)
		p.want(t, pathmtu.Base, true)
		p.run(tt.within, true)
		p.want(t, tt.length, false)
		p = newPath(tt.takes, 2)
		p.local = true
		p.run(100*time.Millisecond, true)
		p.want(t, tt.length, false)
	}
}

// TestT59_BlackHole: a path that becomes narrow and says nothing is noticed by a probe that comes while
// records are sent.
func TestT59_BlackHole(t *testing.T) {
	p := newPath(1408, 1)
	p.run(10*time.Second, true)
	p.takes = 1300
	p.run(pathmtu.ConfirmEvery+2200*time.Millisecond, true)
	if p.search.ContentLen() == pathmtu.Most {
		t.Fatal("nothing was noticed")
	}
	p.run(200*time.Millisecond, true)
	p.want(t, 1280, false)
	p.takes = 1500
	p.run(pathmtu.RaiseAfter+time.Second, true)
	p.want(t, 1408, false)
}

// TestT59_HintsAreNoProof: hints, as many as anybody likes, change nothing on a path that is as wide as it
// was, and cause few probes. No hint makes records shorter than the base.
func TestT59_HintsAreNoProof(t *testing.T) {
	p := newPath(1408, 1)
	p.run(time.Second, true)
	before := len(p.probes)
	for range 1000 {
		p.search.TooLong(p.now)
		p.run(step, true)
		p.want(t, 1408, false)
	}
	if n := len(p.probes) - before; n > 520 { // ten a second
		t.Errorf("%d probes in 50 s", n)
	}
	p.takes = 1152
	p.run(20*time.Second, true)
	for range 100 {
		p.search.TooLong(p.now)
		p.run(step, true)
		p.want(t, pathmtu.Base, false)
	}
}

// TestT59_HintIsQuick: with a hint a narrow path is noticed at once; by a host that refuses even its
// probe, within the step.
func TestT59_HintIsQuick(t *testing.T) {
	p := newPath(1408, 1)
	p.run(10*time.Second, true)
	p.takes, p.local = 1280, true
	p.search.TooLong(p.now)
	p.run(pathmtu.HintEvery+2*step, true)
	p.want(t, 1280, false)
}

// TestT59_IdlePathCostsNothing: without records there is no probe and no alarm.
func TestT59_IdlePathCostsNothing(t *testing.T) {
	for _, takes := range []int{1152, 1280, 1408} {
		p := newPath(takes, 1)
		p.run(20*time.Second, false)
		before := len(p.probes)
		p.run(time.Hour, false)
		if !p.search.Idle() || len(p.probes) != before {
			t.Errorf("%d probes on an idle path", len(p.probes)-before)
		}
	}
}

// TestT59_OldAnswers: an answer counts once, for its own probe.
func TestT59_OldAnswers(t *testing.T) {
	p := newPath(1152, 1)
	p.run(100*time.Millisecond, false)
	first := p.probes[0].Token
	p.run(10*time.Second, false)
	p.search.Answered(p.now, first)
	p.search.Answered(p.now, record.Token{})
	p.search.Refused(p.now, record.Token{})
	p.want(t, pathmtu.Base, false)
}

// TestT59_AnyPath: whatever a path does, lengths are those that records have, probes are few, and where it
// stays as it is for a while what it takes is found.
func TestT59_AnyPath(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		seed := rapid.Uint64().Draw(r, "seed")
		random := rand.New(rand.NewPCG(seed, 1))
		p := newPath(rapid.IntRange(1152, 1500).Draw(r, "takes"), seed)
		for range rapid.IntRange(1, 8).Draw(r, "changes") {
			p.takes = rapid.IntRange(1152, 1500).Draw(r, "takes")
			p.local = rapid.Bool().Draw(r, "local")
			loss := rapid.Float64Range(0, 1).Draw(r, "loss")
			p.lost = func() bool { return random.Float64() < loss }
			if rapid.Bool().Draw(r, "moved") {
				p.search.Begin(p.now)
			}
			for range rapid.IntRange(0, 20).Draw(r, "hints") {
				p.search.TooLong(p.now)
				p.run(rapid.SampledFrom([]time.Duration{0, step, time.Second}).Draw(r, "time"), rapid.Bool().Draw(r, "busy"))
				if n := p.search.ContentLen(); n < pathmtu.Base || n > pathmtu.Most || n%pathmtu.Step != 0 {
					r.Fatalf("a content length of %d", n)
				}
			}
			begin, probes := p.now, len(p.probes)
			p.run(20*time.Second, rapid.Bool().Draw(r, "busy"))
			if n := len(p.probes) - probes; n > 60 {
				r.Fatalf("%d probes in %v", n, p.now.Sub(begin))
			}
		}
		p.lost = func() bool { return false }
		p.run(2*pathmtu.RaiseAfter, true)
		if want := min(1408, p.takes/128*128); p.search.ContentLen() != want || p.search.Searching() {
			r.Fatalf("content length %d, searching %v, on a path that takes %d", p.search.ContentLen(), p.search.Searching(), p.takes)
		}
	})
}

// TestT59_Steps: where nothing can be probed the host's word counts, down to the base.
func TestT59_Steps(t *testing.T) {
	s, now := pathmtu.NewSteps(), time.Unix(1000, 0)
	for _, want := range []int{1280, 1152, 1152} {
		if s.TooLong(now); s.ContentLen() != want {
			t.Fatalf("content length %d, want %d", s.ContentLen(), want)
		}
	}
	if s.Advance(now.Add(pathmtu.RaiseAfter - 1)); s.ContentLen() != 1152 {
		t.Fatal("too early")
	}
	if s.Advance(s.Deadline()); s.ContentLen() != 1408 || !s.Deadline().IsZero() {
		t.Fatalf("content length %d", s.ContentLen())
	}
}
