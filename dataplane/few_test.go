package dataplane_test

import (
	"net/netip"
	"testing"
)

// TestFewPacketsTravelAlone: a lost record is one lost acknowledgement where few of them wait.
func TestFewPacketsTravelAlone(t *testing.T) {
	a, b, network := newPair(t)
	sent := 0
	network.Lose(func(_, _ netip.AddrPort, _ []byte) bool {
		sent++
		return sent == 2
	})
	for range 4 {
		a.tun.Deliver(packet(addrA, addrB, 64, 7))
	}
	a.engine.Turn(a.link.Key())
	if c := a.link.Counters().Sent; c.Records != 4 || c.Packets != 4 {
		t.Fatalf("sent %+v, want a record for each of 4 packets", c)
	}
	if err := b.engine.Poll(); err != nil {
		t.Fatal(err)
	}
	if c := b.link.Counters().Received; c.Packets != 3 {
		t.Fatalf("received %+v, want all packets but the one of the lost record", c)
	}
}

// TestFewSegmentsAreWrittenInParts: TCP at this end acknowledges a part of what may be all of a flight, and
// a long super-packet once; a part ends where a segment does.
func TestFewSegmentsAreWrittenInParts(t *testing.T) {
	for _, c := range []struct{ payload, size, writes int }{
		{4 * 1344, 1344, 1}, {9 * 1344, 1344, 3}, {40 * 1344, 1344, 1}, {9 * 1344, 1000, 1},
	} {
		a, b, _ := newSupers(t)
		s := newSuper(false, 12, c.payload, c.size, 0x18, false)
		segments := s.segments(t)
		a.tun.DeliverAs(s.header, s.packet)
		a.engine.Turn(a.link.Key())
		if err := b.engine.Poll(); err != nil {
			t.Fatal(err)
		}
		if n := b.tun.Writes(); n != c.writes {
			t.Errorf("%d segments of %d octets were written with %d calls, want %d", len(segments), c.size, n, c.writes)
		}
		for _, s := range segments {
			want(t, b, s)
		}
	}
}
