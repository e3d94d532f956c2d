package dataplane

import (
	"net/netip"
	"sync"
	"testing"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
)

// T50: however reserve and move race, no COUNT is given out twice, and those of a grant belong to
// its outlet. The engine's own worker is too slow to hit the moment.
func TestT50ReserveWhileMoving(t *testing.T) {
	const moves, skip = 20000, 1 << 20
	k := &sendKey{limits: Limits{}.of(suite.AES128GCM), counter: record.NewCounter(record.Limit), outlet: newOutlet(ContextID{}, Port{}, nil, netip.AddrPort{})}
	stop, last := make(chan struct{}), [2]record.Count{}
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := make(map[record.Count]bool)
	for worker := range last {
		wg.Go(func() {
			for range 1 << 18 { // together fewer than skip
				select {
				case <-stop:
					return
				default:
				}
				g := k.reserve(1, 0, 0)
				if g.records != 1 || g.first < last[worker] || uint16(g.first>>20) != g.outlet.id.Session {
					t.Errorf("COUNT %#x with name %d after COUNT %#x", g.first, g.outlet.id.Session, last[worker])
					return
				}
				last[worker] = g.first
				mu.Lock()
				if seen[g.first] {
					t.Errorf("COUNT %#x given out twice", g.first)
				}
				seen[g.first] = true
				mu.Unlock()
			}
		})
	}
	for n := range moves {
		k.move(newOutlet(ContextID{Session: uint16(n + 1)}, Port{}, nil, netip.AddrPort{}), skip)
	}
	close(stop)
	wg.Wait()
}
