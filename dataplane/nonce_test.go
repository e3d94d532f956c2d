package dataplane_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"pc5d/dataplane"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

// recorder is a suite that ends the test when a COUNT is sealed twice.
type recorder struct {
	suite.Suite
	t    testing.TB
	mu   sync.Mutex
	seen map[uint64]bool
}

func (r *recorder) Seal(batch []suite.Item) {
	r.mu.Lock()
	for i := range batch {
		if r.seen[batch[i].Count] {
			r.t.Errorf("COUNT %d sealed twice under one key", batch[i].Count)
		}
		r.seen[batch[i].Count] = true
	}
	r.mu.Unlock()
	r.Suite.Seal(batch)
}

func wrap(t testing.TB) func(suite.Suite) suite.Suite {
	return func(s suite.Suite) suite.Suite { return &recorder{Suite: s, t: t, seen: make(map[uint64]bool)} }
}

func TestT50RekeyStorm(t *testing.T) {
	network := udp.NewNetwork()
	network.Listen(outerB)
	e := newEnd(t, network, outerA)
	run(t, e)
	begin, delivered := time.Now(), uint64(0)
	for s := range uint16(200) {
		c := contextOf(s+1, true)
		c.Limits.HardCount = 1000
		if err := e.link.InstallWith(c, wrap(t)); err != nil {
			t.Fatal(err)
		}
		for delivered > e.link.Counters().Sent.Packets+200 { // what waits stays within what the engine queues
			if time.Sleep(time.Millisecond); time.Since(begin) > 20*time.Second {
				t.Fatalf("%d packets delivered, counters %+v", delivered, e.link.Counters())
			}
		}
		for range 20 {
			if e.tun.Deliver(packet(addrA, addrB, 1400, 1)) {
				delivered++
			}
		}
		if s%3 == 2 {
			e.link.Retire(contextOf(s, true).ID)
		}
	}
	for deadline := time.Now().Add(5 * time.Second); e.link.Counters().Sent.Packets != delivered; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d packets delivered, counters %+v", delivered, e.link.Counters())
		}
	}
}

func TestT50T55LimitsStop(t *testing.T) {
	for _, tt := range []struct {
		name    string
		counts  uint64
		blocks  uint64
		atMost  uint64
		atLeast uint64
	}{
		{"COUNT", 1000, 1 << 35, 1000, 1000},
		{"blocks", 1 << 40, 91 * 500, 500, 440},
	} {
		t.Run(tt.name, func(t *testing.T) {
			network := udp.NewNetwork()
			network.Listen(outerB)
			e := newEnd(t, network, outerA)
			limited := contextOf(1, true)
			limited.Limits = dataplane.Limits{HardCount: recordCount(tt.counts), HardBlocks: tt.blocks}
			if err := e.link.InstallWith(limited, wrap(t)); err != nil {
				t.Fatal(err)
			}
			for range 30 {
				for range 44 {
					e.tun.Deliver(packet(addrA, addrB, 1400, 1))
				}
				e.engine.Turn(e.link.Key())
			}
			c := e.link.Counters()
			if c.Sent.Records > tt.atMost || c.Sent.Records < tt.atLeast {
				t.Fatalf("%d records sent, want %d to %d", c.Sent.Records, tt.atLeast, tt.atMost)
			}
			if got := c.Drops.Of(dataplane.DropKeyLimit); got != 30*44-c.Sent.Records {
				t.Fatalf("%d dropped at the limit, %d sent", got, c.Sent.Records)
			}
		})
	}
}

// Whatever is published and withdrawn while packets move: no race, no crash, and the wiped keys
// are used by nobody.
func TestConcurrentChanges(t *testing.T) {
	network := udp.NewNetwork()
	a, b := newEnd(t, network, outerA), newEnd(t, network, outerB)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, e := range []*end{a, b} {
		wg.Go(func() { _ = e.engine.Run(ctx) })
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			a.tun.Deliver(packet(addrA, addrB, 700, 1))
			for len(b.tun.Packets()) > 0 {
				b.tun.Recycle(<-b.tun.Packets())
			}
		}
	})
	for s := range uint16(100) {
		install(t, b.link, contextOf(s+1, false))
		install(t, a.link, contextOf(s+1, true))
		l, err := a.engine.AddLink("y", tundev.NewFake("pc5-y"))
		if err != nil {
			t.Fatal(err)
		}
		if err := a.engine.RemoveLink(l); err != nil {
			t.Fatal(err)
		}
		a.link.Retire(contextOf(s, true).ID)
	}
	cancel()
	wg.Wait()
}

func TestSocketFailureEndsRun(t *testing.T) {
	network := udp.NewNetwork()
	conn := network.Listen(outerA)
	e := dataplane.New(dataplane.Config{
		Conn: conn, Poller: tundev.NewFakePoller(), Log: slog.New(slog.DiscardHandler),
		Signalling: func(dataplane.Port, netip.AddrPort, []byte) {},
	})
	conn.Close()
	if err := e.Run(context.Background()); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("Run with a closed socket: %v", err)
	}
}
