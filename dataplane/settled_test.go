package dataplane

import (
	"testing"

	"pc5d/dataplane/underlay"
)

// TestSettledIsOfOneLink: the first packet of a flow waits at the receiver of its link. However much
// leaves for another peer, that receiver need not have read it: the next packet must not overtake it.
func TestSettledIsOfOneLink(t *testing.T) {
	var q fairQueue
	x, y := &Link{key: 1}, &Link{key: 2}
	send := func(l *Link, port uint16, n int, super bool) underlay.LCID {
		q.put(waitingPacket(l, port, 0, n, super))
		f := q.next()
		channel := q.channel(f, nil)
		w := q.pop(f)
		if channel == underlay.DRB {
			q.queued(f, w)
		}
		q.next() // nothing waits: the flow is idle again
		return channel
	}
	if c := send(x, 7, 30000, true); c != underlay.DRB {
		t.Fatal(c)
	}
	for range settled/60000 + 2 {
		send(y, 9, 60000, true)
	}
	if c := send(x, 7, 100, false); c == underlay.DRBSparse {
		t.Error("a packet overtakes one of its own flow behind which nothing has left")
	}
}
