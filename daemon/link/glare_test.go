package link_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
)

// wish is a procedure that an end's owner wants, and what shows that it was served.
type wish struct {
	name   string
	start  func(n *network, e *end) error
	served func(e *end, before ledger) bool
}

// ledger is what an end had done before.
type ledger struct {
	rekeyed int
	name    link.Name
}

func wishes() []wish {
	modified := func(e *end) (count int) {
		for _, c := range e.concluded {
			if c.Procedure == link.Modify && c.Err == nil {
				count++
			}
		}
		return count
	}
	return []wish{
		{"rekey", func(n *network, e *end) error { return e.machine.Rekey(n.now) }, func(e *end, b ledger) bool { return e.rekeyed > b.rekeyed }},
		{"update", func(n *network, e *end) error { return e.machine.UpdateIdentifiers(n.now) }, func(e *end, b ledger) bool {
			return e.rekeyed > b.rekeyed && e.plane.name.Local != b.name.Local && e.plane.name.Peer != b.name.Peer
		}},
		{"modify", func(n *network, e *end) error { return e.machine.Modify(n.now, flows()) }, func(e *end, _ ledger) bool { return modified(e) == 1 }},
		{"keep-alive", func(n *network, e *end) error { e.machine.AskAlive(n.now); return nil }, func(*end, ledger) bool { return true }}, // any sign of life serves
		{"release", func(n *network, e *end) error {
			e.machine.Release(n.now, pc5s.CauseNoLongerNeeded)
			return nil
		}, func(*end, ledger) bool { return true }},
	}
}

// TestT13_Glare starts two procedures at both ends within a millisecond, all ordered pairs, over
// a path that is slow, loses, doubles and reorders as its seed says. Then the path only is slow.
// Within 30 s both ends are established and agree, nothing runs, and both wishes are served; or,
// where one was a release, both have ended within 130 s, twice T5084 and a keep-alive, if no release
// request came through.
func TestT13_Glare(t *testing.T) {
	all := wishes()
	pairs := len(all) * len(all)
	seeds := 1000 / every(8)
	shards(t, seeds, func(t *testing.T, seed int) {
		first, second := all[seed%pairs/len(all)], all[seed%pairs%len(all)]
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		n := newNetwork(t)
		defer n.close()
		rested(t, n.pair)
		x, y := n.a, n.b
		if r.IntN(2) == 1 {
			x, y = y, x
		}
		begin := [2]ledger{{x.rekeyed, x.plane.name}, {y.rekeyed, y.plane.name}}
		n.weather(uint64(seed), []time.Duration{time.Millisecond, 30 * time.Millisecond, 400 * time.Millisecond}[r.IntN(3)], 8, 0.3, 0.2)
		n.command(t, x, func(time.Time) error { return first.start(n, x) })
		n.rest(t, time.Duration(r.Int64N(int64(time.Millisecond))))
		released := first.name == "release" || second.name == "release"
		if err := second.start(n, y); err != nil && !released {
			t.Fatal(err)
		}
		n.drain(y)
		n.rest(t, 30*time.Second)
		if released {
			n.rest(t, 100*time.Second)
			if !n.both(link.Released) {
				t.Errorf("seed %d, %s and %s: %s", seed, first.name, second.name, n.describe())
			}
			return
		}
		if !n.quiet() || !n.sameNames() || !first.served(x, begin[0]) || !second.served(y, begin[1]) {
			t.Errorf("seed %d, %s (%v) and %s (%v): %v %v; %s", seed, first.name, first.served(x, begin[0]), second.name, second.served(y, begin[1]), n.a.concluded, n.b.concluded, n.describe())
		}
		for _, e := range []*end{x, y} {
			for _, c := range e.concluded {
				if c.Err != nil && !errors.Is(c.Err, link.ErrProcedure) {
					t.Errorf("seed %d, %s and %s: %v failed: %v", seed, first.name, second.name, c.Procedure, c.Err)
				}
			}
		}
		n.agree(t, "seed %d", seed)
	})
}
