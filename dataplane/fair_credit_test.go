package dataplane

import "testing"

// TestNoFlowLivesOnCredit: a flow that has one super-packet each time its queue is empty gets no more
// than one that always has some.
func TestNoFlowLivesOnCredit(t *testing.T) {
	var q fairQueue
	l := &Link{}
	sent := [2]int{}
	waiting := [2]int{}
	for range 20000 {
		for waiting[0] < 50 { // always has
			q.put(waitingPacket(l, 1, 0, 1400, false))
			waiting[0]++
		}
		f := q.next()
		if waiting[1] == 0 && q.flows[flowOf(0, waitingPacket(l, 2, 0, 64, false).packet())%flowCount].state == flowIdle {
			q.put(waitingPacket(l, 2, 0, 65000, true))
			waiting[1]++
			f = q.next()
		}
		w := q.pop(f)
		if w.header.Super() {
			sent[1] += w.n + packetCost
			waiting[1]--
		} else {
			sent[0] += w.n + packetCost
			waiting[0]--
		}
		q.queued(f, w)
	}
	if sent[1] > sent[0]*3/2 {
		t.Errorf("the one that is always there sent %d octets, costs included, the other %d", sent[0], sent[1])
	}
}
