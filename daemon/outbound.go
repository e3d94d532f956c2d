package daemon

import (
	"net/netip"
	"sync"
)

// outbound bounds the attempts of this node that are under way to one address: its daemon counts
// them as those of one source, and would refuse the rest. Further keepers wait their turn.
type outbound struct {
	limit int

	mu      sync.Mutex // guards the fields below
	open    map[netip.Addr]int
	waiting map[netip.Addr][]*keeper // in the order in which they came
}

func newOutbound(limit int) *outbound {
	return &outbound{limit: limit, open: map[netip.Addr]int{}, waiting: map[netip.Addr][]*keeper{}}
}

// begin enters an attempt; false: the keeper hears when it may ask again.
func (o *outbound) begin(to netip.Addr, k *keeper) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.open[to] >= o.limit {
		o.waiting[to] = append(o.waiting[to], k)
		return false
	}
	o.open[to]++
	return true
}

// end takes an attempt out: it is established, or over. Everybody who waits asks again, because
// who came first may want nothing any more.
func (o *outbound) end(to netip.Addr) {
	o.mu.Lock()
	if o.open[to]--; o.open[to] == 0 {
		delete(o.open, to)
	}
	waiting := o.waiting[to]
	delete(o.waiting, to)
	o.mu.Unlock()
	for _, k := range waiting {
		k.post(func(k *keeper) { k.queued = false })
	}
}
