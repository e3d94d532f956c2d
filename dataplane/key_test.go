package dataplane

import (
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
)

// T50: however reserve and move race, no COUNT is given out twice, and those of a grant belong to
// its outlet. The engine's own worker is too slow to hit the moment.
func TestT50ReserveWhileMoving(t *testing.T) {
	const reserves, moves, skip = 60000, 1 << 16, 1 << 20 // all reserves are fewer than skip
	k := &sendKey{limits: Limits{}.of(suite.AES128GCM, suite.AEAD), counter: record.NewCounter(record.Limit), outlet: newOutlet(ContextID{}, Port{}, nil, netip.AddrPort{}, Path{})}
	var workers sync.WaitGroup
	var reserved atomic.Int64
	var taken [2][]record.Count
	for worker := range taken {
		workers.Go(func() {
			for range reserves {
				g := k.reserve(1, 0, 0)
				reserved.Add(1)
				if g.records != 1 || uint16(g.first>>20) != g.outlet.id.Session {
					t.Errorf("COUNT %#x for name %d", g.first, g.outlet.id.Session)
					return
				}
				taken[worker] = append(taken[worker], g.first)
			}
		})
	}
	for n := 1; n < moves && reserved.Load() < 2*reserves && !t.Failed(); n++ {
		for before := reserved.Load(); reserved.Load() == before && before < 2*reserves && !t.Failed(); {
			runtime.Gosched()
		}
		k.move(newOutlet(ContextID{Session: uint16(n)}, Port{}, nil, netip.AddrPort{}, Path{}), skip)
	}
	workers.Wait()
	all := append(taken[0], taken[1]...)
	slices.Sort(all)
	if n := len(all); len(slices.Compact(all)) != n {
		t.Error("a COUNT was given out twice")
	}
}
