package link_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pc5d/daemon/link"
)

// network is a pair whose datagrams take time, change their order, come twice or not at all, as
// its hooks say. It checks after every step what has to hold always, and starts a failed attempt
// again as the owner of a link does.
type network struct {
	*pair
	air    []flight // by time of arrival
	delay  func() time.Duration
	copies func() int
	again  time.Time // of the next attempt
	count  int       // attempts
	wanted bool
	loose  bool // the ends may part for a while: more is lost than repetitions mend
}

type flight struct {
	at time.Time
	transit
}

// retryAfter is how long the owner of a link waits after a failed attempt.
const retryAfter = time.Second

func newNetwork(t testing.TB) *network {
	return &network{pair: newPair(t), delay: func() time.Duration { return 0 }, copies: func() int { return 1 }}
}

// connect wants the link up.
func (n *network) connect() {
	n.wanted = true
	n.start()
	n.count = 1
}

// collect puts what was sent into the air.
func (n *network) collect() {
	for _, d := range n.queue {
		for range n.copies() {
			n.air = append(n.air, flight{n.now.Add(n.delay()), transit{d.from, d.to, bytes.Clone(d.datagram)}})
		}
	}
	n.queue = nil
	slices.SortStableFunc(n.air, func(a, b flight) int { return a.at.Compare(b.at) })
}

// step goes on to the next thing that happens before the end.
func (n *network) step(t testing.TB, end time.Time) bool {
	t.Helper()
	n.collect()
	next := n.next()
	for _, at := range []time.Time{n.again, n.arrival()} {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if next.IsZero() || next.After(end) {
		n.now = end
		return false
	}
	if next.After(n.now) {
		n.now = next
	}
	switch {
	case len(n.air) > 0 && !n.air[0].at.After(n.now):
		n.queue = []transit{n.air[0].transit}
		n.air = n.air[1:]
		n.arrive()
	case !n.again.IsZero() && !n.again.After(n.now):
		n.attempt()
	default:
		n.advance(t)
	}
	n.owner()
	n.sound(t)
	return true
}

// arrival is when the next datagram comes; zero: none is under way.
func (n *network) arrival() time.Time {
	if len(n.air) == 0 {
		return time.Time{}
	}
	return n.air[0].at
}

// advance fires what is due. Afterwards nothing may be due any more: an owner that is told to
// wait for the past would never rest.
func (n *network) advance(t testing.TB) {
	t.Helper()
	for _, e := range []*end{n.a, n.b} {
		if e.machine == nil {
			continue
		}
		e.machine.Advance(n.now)
		n.drain(e)
		if at := e.machine.Deadline(); !at.IsZero() && !at.After(n.now) {
			t.Errorf("after Advance in %v, %v something is due since %v", e.machine.State(), e.machine.Running(), n.now.Sub(at))
			e.machine.Abandon(errors.New("busy loop"))
		}
	}
}

// owner starts a failed attempt again. B's half goes with it: a node keeps it until the new one
// is established, which changes nothing here.
func (n *network) owner() {
	if n.wanted && n.a.machine.State() == link.Released && n.again.IsZero() {
		n.again = n.now.Add(retryAfter)
	}
}

func (n *network) attempt() {
	n.again = time.Time{}
	n.count++
	n.close()
	n.drain(n.a)
	n.drain(n.b)
	n.a.config.Local += 0x100
	n.b.machine, n.a.plane, n.b.plane = nil, plane{}, plane{}
	n.start()
}

// sound is what holds after every step: effects make sense, and while both ends are established
// each can receive what the other sends.
func (n *network) sound(t testing.TB) {
	t.Helper()
	if n.both(link.Established) && !n.loose {
		n.planesFit(t)
	}
	for _, e := range []*end{n.a, n.b} {
		if e.machine == nil {
			continue
		}
		if effects, contexts, names := e.machine.Kept(); effects != 0 || contexts > 6 || names > 12 {
			t.Errorf("a machine keeps %d effects, %d contexts, %d names", effects, contexts, names)
		}
	}
}

func (n *network) both(s link.State) bool {
	return n.a.machine != nil && n.b.machine != nil && n.a.machine.State() == s && n.b.machine.State() == s
}

// last lets time go by, until ok or until it is over.
func (n *network) last(t testing.TB, d time.Duration, ok func() bool) bool {
	t.Helper()
	end, sent := n.now.Add(d), len(n.sent)
	for !ok() {
		if !n.step(t, end) {
			return ok()
		}
		if len(n.sent)-sent > 1000+100*int(d/time.Second) {
			t.Fatalf("the ends drive each other: %s", n.describe())
		}
	}
	return true
}

// rest lets all of the time go by.
func (n *network) rest(t testing.TB, d time.Duration) {
	t.Helper()
	n.last(t, d, func() bool { return false })
}

// quiet tells whether both ends are established and nothing runs.
func (n *network) quiet() bool {
	return n.both(link.Established) && n.a.machine.Running() == link.NoProcedure && n.b.machine.Running() == link.NoProcedure
}

// names tells whether the ends call the link the same.
func (n *network) sameNames() bool {
	a, b := n.a.plane.name, n.b.plane.name
	return a.Local == b.Peer && a.Peer == b.Local && a.Session == b.Session
}

// describe is for failures.
func (n *network) describe() string {
	text := fmt.Sprintf("at %v after %d datagrams and %d attempts", n.now.Sub(epoch), len(n.sent), n.count)
	for _, e := range []*end{n.a, n.b} {
		if e.machine != nil {
			text += fmt.Sprintf("; %v %v (%v) %v", e.machine.State(), e.machine.Running(), e.machine.Failed(), e.drops)
		}
	}
	return text
}

// shards runs a case for each number below n, on all processors.
func shards(t *testing.T, n int, f func(t *testing.T, i int)) {
	t.Helper()
	const parts = 4
	for part := range parts {
		t.Run(fmt.Sprintf("part %d of %d", part+1, parts), func(t *testing.T) {
			t.Parallel()
			for i := part; i < n; i += parts {
				f(t, i)
			}
		})
	}
}

// weather makes a network random: up to most of delay, and loss and copies for the first
// datagrams from now on. Afterwards it is only slow.
func (n *network) weather(seed uint64, most time.Duration, datagrams int, loss, twice float64) {
	r := rand.New(rand.NewPCG(seed, 1))
	until := len(n.sent) + datagrams
	n.lose = func(index int) bool { return r.Float64() < loss && index < until }
	n.copies = func() int {
		if r.Float64() < twice && len(n.sent) < until {
			return 2
		}
		return 1
	}
	n.delay = func() time.Duration { return time.Duration(r.Int64N(int64(most) + 1)) }
}
