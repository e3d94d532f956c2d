//go:build net

package lab_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"pc5d/daemon/lab"
)

const (
	crashes = 16
	// crashBack is how soon a link is back after the killed end has started again.
	crashBack = 10 * time.Second
)

// moments of a link's life, and how long after its beginning the daemon is killed at most.
var moments = []struct {
	name   string
	within time.Duration
}{
	{"establishment", 60 * time.Millisecond},
	{"re-keying", 12 * time.Millisecond},
	{"update", 20 * time.Millisecond},
	{"traffic after an update", 100 * time.Millisecond},
}

// crashSeed is CRASH_SEED, or another one each time.
func crashSeed(t *testing.T) uint64 {
	t.Helper()
	v := os.Getenv("CRASH_SEED")
	if v == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// TestT91_T92_KillAtAnyMoment kills one of two daemons at 16 moments, and takes its state away in
// half of them. It starts again whatever it left behind, the link is back in ten seconds, and no
// packet for the link shows on the underlay meanwhile. CRASH_SEED=n makes the same choices.
func TestT91_T92_KillAtAnyMoment(t *testing.T) {
	t.Parallel()
	pc5d, seed := build(t), crashSeed(t)
	t.Logf("CRASH_SEED=%d", seed)
	for i := range crashes {
		c := crash{moment: i % len(moments), keep: i/len(moments)%2 == 0, random: rand.New(rand.NewPCG(seed, uint64(i)))}
		c.after = time.Duration(c.random.Int64N(int64(moments[c.moment].within)))
		c.victim = c.random.IntN(2)
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			c.run(t, pc5d)
		})
	}
}

// crash is one kill.
type crash struct {
	moment int
	keep   bool // the state directory
	victim int
	after  time.Duration
	random *rand.Rand
}

func (c *crash) run(t *testing.T, pc5d string) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	p := pair(t, ctx, pc5d, func(p *lab.Pair) {
		for _, n := range []*lab.Node{p.Alice, p.Bob} {
			n.Tail = private + ports
			if err := n.Provision(); err != nil {
				t.Fatal(err)
			}
		}
	})
	nodes := []*lab.Node{p.Alice, p.Bob}
	victim := nodes[c.victim]
	inner := p.Alice.Four.As4()
	capture, err := p.Alice.Host.Capture(append(inner[:], p.Bob.Four.AsSlice()...)) // source and destination
	if err != nil {
		t.Fatal(err)
	}
	asked := c.begin(t, ctx, p)
	traffic := startPings(p)
	time.Sleep(c.after) // the moment is the test
	victim.Kill()
	if !c.keep {
		if err := victim.Forget(); err != nil {
			t.Fatal(err)
		}
	}
	guarded(t, victim)
	time.Sleep(time.Duration(c.random.Int64N(int64(300 * time.Millisecond)))) // without the daemon
	if err := victim.Start(ctx, pc5d); err != nil {
		t.Fatalf("%s does not start: %v", victim.Host.Name, err)
	}
	begin, before := time.Now(), traffic.answered()
	<-asked
	if moments[c.moment].name == "establishment" && victim == p.Alice {
		// Who asked for the first link got no answer, and asks again.
		go p.Alice.Client.Up(ctx, "bob", crashBack)
	}
	back, stop := context.WithTimeout(ctx, crashBack)
	defer stop()
	if !eventually(back, func() bool { now := traffic.answered(); return now[0] > before[0] && now[1] > before[1] }) {
		t.Errorf("the link is not back: %s\n%s", p.Alice.Log(), p.Bob.Log())
	}
	t.Logf("%s killed %v into %s, state kept: %v: back after %v", victim.Host.Name, c.after, moments[c.moment].name, c.keep, time.Since(begin).Round(time.Millisecond))
	sent := traffic.stop()
	for _, n := range nodes {
		guarded(t, n)
		if !eventually(back, func() bool { s, ok := status(ctx, n); return ok && s.State == "established" }) {
			t.Errorf("%s says that the link is not established: %s", n.Host.Name, n.Log())
		}
	}
	frames, found, lost, err := capture.Stop()
	if err != nil || found > 0 || lost > 0 || frames == 0 || sent == 0 {
		t.Errorf("%d of %d frames show an inner packet (%d not caught, %d sent, %v)", found, frames, lost, sent, err)
	}
}

// begin brings the link to the moment. The channel is closed when whoever was asked has answered.
func (c *crash) begin(t *testing.T, ctx context.Context, p *lab.Pair) <-chan struct{} {
	t.Helper()
	asked := make(chan struct{})
	run := func(f func()) {
		go func() {
			defer close(asked)
			f() // it may fail: the daemon is killed meanwhile
		}()
	}
	if moments[c.moment].name == "establishment" {
		run(func() { p.Alice.Client.Up(ctx, "bob", time.Second) })
		return asked
	}
	up(t, ctx, p.Alice)
	await(t, ctx, p.Bob, "established")
	n := []*lab.Node{p.Alice, p.Bob}[c.random.IntN(2)]
	switch moments[c.moment].name {
	case "re-keying":
		time.Sleep(5 * time.Second) // the least time between two re-keyings: now it begins at once
		run(func() { n.Client.Rekey(ctx, n.Peer.Host.Name, time.Second) })
	case "update":
		time.Sleep(5 * time.Second)
		run(func() { n.Client.Update(ctx, n.Peer.Host.Name, time.Second) })
	default: // both ends are at other ports than those where they listen
		if _, err := n.Client.Update(ctx, n.Peer.Host.Name, 20*time.Second); err != nil {
			t.Fatalf("%v: %s", err, n.Log())
		}
		close(asked)
	}
	return asked
}

// guarded demands the routes that let no packet out in another way.
func guarded(t *testing.T, n *lab.Node) {
	t.Helper()
	for _, a := range []netip.Addr{n.Peer.Four, n.Peer.Six} {
		if ok, err := n.Host.Guarded(netip.PrefixFrom(a, a.BitLen())); err != nil || !ok {
			t.Errorf("%s has no guard route for %s: %v", n.Host.Name, a, err)
		}
	}
}

// pinging sends echo requests through a link, both ways, until it is stopped.
type pinging struct {
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	sent   atomic.Int64
	got    [2]atomic.Int64
}

func startPings(p *lab.Pair) *pinging {
	g := &pinging{done: make(chan struct{}, 2)}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	for i, n := range []*lab.Node{p.Alice, p.Bob} {
		go func() {
			for g.ctx.Err() == nil {
				g.sent.Add(1)
				if _, err := n.Host.Ping(n.Peer.Four, 100*time.Millisecond); err == nil {
					g.got[i].Add(1)
				}
				time.Sleep(5 * time.Millisecond) // where the route refuses at once
			}
			g.done <- struct{}{}
		}()
	}
	return g
}

func (g *pinging) answered() [2]int64 { return [2]int64{g.got[0].Load(), g.got[1].Load()} }

// stop ends it and returns how many requests there were.
func (g *pinging) stop() int64 {
	g.cancel()
	<-g.done
	<-g.done
	return g.sent.Load()
}
