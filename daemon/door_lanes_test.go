package daemon

import (
	"log/slog"
	"net/netip"
	"sync"
	"testing"

	"pc5d/dataplane"
	"pc5d/dataplane/underlay"
)

// TestT30_DoorOfSeveralLanes: a stranger's datagram that the kernel has put together with user data reaches the
// worker of another lane. Several workers at the door at once are no worse than one.
func TestT30_DoorOfSeveralLanes(t *testing.T) {
	n := newDoorstep(t, Limits{}, slog.DiscardHandler)
	from := netip.MustParseAddrPort("198.51.100.7:4444")
	const lanes, knocks = 4, 2000
	var workers sync.WaitGroup
	for lane := range lanes {
		workers.Go(func() {
			d := knock(underlay.LayerTwoID(7+lane), request(byte(lane))[:len(request(0))-lane])
			if lane == 0 {
				d = knock(7, request(1))
			}
			for range knocks {
				n.Receive(dataplane.Port{}, from, d)
			}
		})
	}
	workers.Wait()
}
