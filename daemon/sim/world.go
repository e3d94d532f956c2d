package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// epoch is when every world begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// World is one simulated run.
type World struct {
	Seed    uint64
	Network *Network
	Hosts   []*Host
	Links   []*Link
	Trace   *Trace
	// Dir is where the hosts' state directories are made.
	Dir string
	// Late is how late an alarm may be.
	Late time.Duration
	// Choose, if set, decides instead of the seed which of n things that could happen now
	// happens first: tasks of ready queues, or events of the same time.
	Choose func(n int) int

	rand       *rand.Rand
	now        time.Time
	events     events
	serial     uint64
	ready      []*queue // each holds at least one task; in the order in which they became ready
	faults     []error  // invariants that did not hold
	watch      *watch
	signalling int // datagrams of daemons that are no user data
	attacker   *Attacker
	evil       []*EvilPeer
}

// New makes an empty world whose state directories are under dir.
func New(seed uint64, dir string) *World {
	w := &World{
		Seed: seed, Dir: dir, now: epoch, Trace: newTrace(), watch: newWatch(),
		rand: rand.New(rand.NewPCG(seed, 0x9E3779B97F4A7C15)),
	}
	w.Network = newNetwork(w)
	w.attacker = &Attacker{world: w}
	return w
}

// Close ends all daemons and evil peers.
func (w *World) Close() {
	for _, h := range w.Hosts {
		h.Kill()
	}
	for _, e := range w.evil {
		e.Close()
	}
}

// Now is the virtual time since the beginning.
func (w *World) Now() time.Duration { return w.now.Sub(epoch) }

// Attacker is the one on all paths.
func (w *World) Attacker() *Attacker { return w.attacker }

// event is something that happens at a time.
type event struct {
	at     time.Time
	serial uint64 // of events at one time the older goes first
	run    func()
}

type events []*event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if !e[i].at.Equal(e[j].at) {
		return e[i].at.Before(e[j].at)
	}
	return e[i].serial < e[j].serial
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(*event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}

// After lets something happen d from now.
func (w *World) After(d time.Duration, run func()) { w.at(w.now.Add(d), run) }

func (w *World) at(t time.Time, run func()) {
	if t.Before(w.now) {
		t = w.now
	}
	w.serial++
	heap.Push(&w.events, &event{t, w.serial, run})
}

// Step runs one task of a ready queue, or else the next event. It is false when nothing is left
// to happen.
func (w *World) Step() bool {
	var run func()
	switch {
	case len(w.ready) > 0:
		run = w.ready[w.choose(len(w.ready))].run
	case len(w.events) > 0:
		e := w.next()
		w.now = e.at
		run = e.run
	default:
		return false
	}
	w.protected(run)
	w.check()
	return true
}

// protected turns a panic into a fault (C12).
func (w *World) protected(run func()) {
	defer func() {
		if p := recover(); p != nil {
			w.fault("C12: panic: %v\n%s", p, debug.Stack())
		}
	}()
	run()
}

func (w *World) choose(n int) int {
	if w.Choose != nil {
		return w.Choose(n)
	}
	return w.rand.IntN(n)
}

// next takes the next event; of several at the same time a Choose picks.
func (w *World) next() *event {
	e := heap.Pop(&w.events).(*event)
	if w.Choose == nil {
		return e
	}
	same := []*event{e}
	for len(w.events) > 0 && w.events[0].at.Equal(e.at) {
		same = append(same, heap.Pop(&w.events).(*event))
	}
	chosen := 0
	if len(same) > 1 {
		chosen = w.Choose(len(same))
	}
	for i, o := range same {
		if i != chosen {
			heap.Push(&w.events, o)
		}
	}
	return same[chosen]
}

// RunUntil steps until done is true or limit has passed; it tells which. It ends early, with
// false, at the first broken invariant.
func (w *World) RunUntil(limit time.Duration, done func() bool) bool {
	end := w.now.Add(limit)
	for len(w.faults) == 0 {
		if done() {
			return true
		}
		if len(w.ready) == 0 && (len(w.events) == 0 || w.events[0].at.After(end)) {
			w.now = end
			return done()
		}
		w.Step()
	}
	return false
}

// Run lets time pass.
func (w *World) Run(d time.Duration) { w.RunUntil(d, func() bool { return false }) }

// Faults are the invariants that did not hold.
func (w *World) Faults() []error { return w.faults }

func (w *World) fault(format string, args ...any) {
	err := fmt.Errorf("at %v: "+format, append([]any{w.Now()}, args...)...)
	w.faults = append(w.faults, err)
	w.Trace.note(w.Now(), "FAULT "+err.Error())
}

// chance is true with probability p.
func (w *World) chance(p float64) bool { return p > 0 && w.rand.Float64() < p }

// between draws a duration.
func (w *World) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(w.rand.Int64N(int64(high-low)))
}
