package dataplane_test

import (
	"testing"

	"pc5d/dataplane"
)

// TestTooBigMakesNoRecords: packets that no record holds are dropped, and nothing leaves for them.
func TestTooBigMakesNoRecords(t *testing.T) {
	a, b, _ := newPair(t)
	for range 10 {
		a.tun.Deliver(packet(addrA, addrB, 1500, 1))
	}
	a.tun.Deliver(packet(addrA, addrB, 100, 1))
	a.engine.Turn(a.link.Key())
	if c := a.link.Counters(); c.Sent.Records != 1 || c.Drops.Of(dataplane.DropTooBig) != 10 {
		t.Errorf("%d records for one packet, %d sends wait at the peer; drops %v", c.Sent.Records, b.conn.Waiting(), c.Drops)
	}
}
