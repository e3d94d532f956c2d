//go:build net

package lab_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/lab"
)

const (
	lossRuns    = 20
	lossPercent = 30
	// lossTries is how often a procedure may be asked for: nine sendings of one message can all
	// be lost, and then the link is made anew.
	lossTries = 3
)

// lossRun is what one run took.
type lossRun struct {
	established, rekeyed, updated, released time.Duration
	again                                   int  // procedures that were lost with their link
	told                                    bool // the peer heard of the release
}

// TestT90_LossyPath: over a path that loses 30 % of the datagrams of each direction, links come up
// within a minute and half of them within ten seconds, are re-keyed, change their identifiers and
// are released.
func TestT90_LossyPath(t *testing.T) {
	t.Parallel()
	pc5d := build(t)
	var mu sync.Mutex
	var runs []lossRun
	t.Run("runs", func(t *testing.T) {
		for i := range lossRuns {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				r := lossy(t, pc5d)
				mu.Lock()
				defer mu.Unlock()
				runs = append(runs, r)
			})
		}
	})
	if len(runs) < lossRuns {
		t.Fatalf("%d of %d runs came to their end", len(runs), lossRuns)
	}
	again, untold := 0, 0
	for _, r := range runs {
		again += r.again
		if !r.told {
			untold++
		}
	}
	up := spread(t, "established", runs, func(r lossRun) time.Duration { return r.established })
	spread(t, "re-keyed", runs, func(r lossRun) time.Duration { return r.rekeyed })
	spread(t, "updated", runs, func(r lossRun) time.Duration { return r.updated })
	spread(t, "released", runs, func(r lossRun) time.Duration { return r.released })
	t.Logf("%d procedures were asked for again, %d peers did not hear of the release", again, untold)
	if up > 10*time.Second {
		t.Errorf("half of the links took more than %v", up)
	}
	if untold > 4 { // all of three requests are lost with a probability of 2.7 %
		t.Errorf("%d of %d peers did not hear of the release", untold, lossRuns)
	}
}

// spread prints the distribution of a time and returns its median.
func spread(t *testing.T, what string, runs []lossRun, of func(lossRun) time.Duration) time.Duration {
	t.Helper()
	var all []time.Duration
	for _, r := range runs {
		all = append(all, of(r).Round(time.Millisecond))
	}
	slices.Sort(all)
	median := all[len(all)/2]
	t.Logf("%s: least %v, median %v, most %v: %v", what, all[0], median, all[len(all)-1], all)
	return median
}

// lossy is one run.
func lossy(t *testing.T, pc5d string) (r lossRun) {
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
	defer cancel()
	p := pair(t, ctx, pc5d, func(p *lab.Pair) {
		for _, h := range []*lab.Host{p.A, p.B} {
			if err := h.Lose(lossPercent, port); err != nil {
				t.Fatal(err)
			}
		}
	})
	begin := time.Now()
	if s, err := p.Alice.Client.Up(ctx, "bob", time.Minute); err != nil || s.State != "established" {
		t.Fatalf("up: %q, %v: %s", s.State, err, p.Alice.Log())
	}
	r.established = time.Since(begin)
	await(t, ctx, p.Bob, "established")
	r.rekeyed = insist(t, ctx, p, &r, p.Alice.Client.Rekey)
	r.updated = insist(t, ctx, p, &r, p.Alice.Client.Update)
	begin = time.Now()
	if s, err := p.Alice.Client.Down(ctx, "bob", 10*time.Second); err != nil || s.State != "down" {
		t.Errorf("down: %q, %v", s.State, err)
	}
	r.released = time.Since(begin)
	short, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	r.told = eventually(short, func() bool { s, ok := status(ctx, p.Bob); return ok && s.State == "down" })
	if !r.told {
		if s, err := p.Bob.Client.Down(ctx, "alice", 10*time.Second); err != nil || s.State != "down" {
			t.Errorf("down at the peer: %q, %v", s.State, err)
		}
	}
	return r
}

// insist asks for a procedure until it succeeds, each time over an established link.
func insist(t *testing.T, ctx context.Context, p *lab.Pair, r *lossRun, ask func(context.Context, string, time.Duration) (control.LinkStatus, error)) time.Duration {
	t.Helper()
	begin := time.Now()
	for try := 1; ; try++ {
		_, err := ask(ctx, "bob", 40*time.Second)
		if err == nil {
			break
		}
		t.Logf("try %d: %v", try, err)
		if try == lossTries {
			t.Fatalf("%v: %s", err, p.Alice.Log())
		}
		r.again++
		await(t, ctx, p.Alice, "established")
	}
	return time.Since(begin)
}

// status is the state of a node's link.
func status(ctx context.Context, n *lab.Node) (control.LinkStatus, bool) {
	s, err := n.Client.Status(ctx)
	if err != nil {
		return control.LinkStatus{}, false
	}
	return s.Links[0], true
}

// await waits up to a minute for a state.
func await(t *testing.T, ctx context.Context, n *lab.Node, state string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if !eventually(ctx, func() bool { s, ok := status(ctx, n); return ok && s.State == state }) {
		t.Fatalf("%s is not %s: %s", n.Host.Name, state, n.Log())
	}
}
