package daemon

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// fewSources is a table with a rate of 5 in a second and 10 at once.
func fewSources(slots int) (*sources, time.Time) {
	now := time.Unix(1000, 0)
	l := Limits{Sources: slots, TLS: Rate{PerSecond: 100, Burst: 20}}.orDefaults()
	return newSources(l, now, [32]byte{1}), now
}

// addressOf is the n-th of many sources.
func addressOf(n int) netip.Addr {
	var b [16]byte
	b[0] = 0x20
	binary.BigEndian.PutUint32(b[4:], uint32(n))
	return netip.AddrFrom16(b)
}

// TestT32_HandshakesOfASource: ten at once, then five in a second; addresses of one /64 share them, and
// others have their own.
func TestT32_HandshakesOfASource(t *testing.T) {
	s, now := fewSources(64)
	count := func(addresses ...string) (n int) {
		for i := range 100 {
			if s.take(now, netip.MustParseAddr(addresses[i%len(addresses)])) {
				n++
			}
		}
		return n
	}
	if n := count("2001:db8::1", "2001:db8::2", "2001:db8::ffff"); n != 10 {
		t.Errorf("%d at once, want 10", n)
	}
	if !s.busy(now, netip.MustParseAddr("2001:db8::9")) || s.busy(now, netip.MustParseAddr("2001:db8:0:1::1")) {
		t.Error("the wrong source is spent")
	}
	now = now.Add(time.Second)
	if n := count("2001:db8::1"); n != 5 {
		t.Errorf("%d after a second, want 5", n)
	}
	now = now.Add(time.Hour)
	if n := count("2001:db8::1"); n != 10 {
		t.Errorf("%d after an hour, want 10", n)
	}
	if n := count("192.0.2.1", "::ffff:192.0.2.1"); n != 10 {
		t.Errorf("%d of an IPv4 address in both forms, want 10", n)
	}
}

// TestT32_TokenComesBack: a source whose handshakes authenticate is not limited, and gains nothing by
// it beyond its burst.
func TestT32_TokenComesBack(t *testing.T) {
	s, now := fewSources(64)
	a := netip.MustParseAddr("192.0.2.1")
	for range 1000 {
		if !s.take(now, a) {
			t.Fatal("an authenticated source is refused")
		}
		s.giveBack(a)
	}
	n := 0
	for s.take(now, a) {
		n++
	}
	if n != 10 {
		t.Errorf("%d at once, want 10", n)
	}
}

// TestT32_NodeLimit: the node's limit holds for all sources together.
func TestT32_NodeLimit(t *testing.T) {
	s, now := fewSources(64)
	n := 0
	for s.takeTLS(now) {
		n++
	}
	if n != 20 || !s.busy(now, netip.MustParseAddr("192.0.2.1")) {
		t.Errorf("%d at once, want 20", n)
	}
	for now, n = now.Add(time.Second), 0; s.takeTLS(now); n++ {
	}
	if n != 20 {
		t.Errorf("%d after a second, want the burst of 20", n)
	}
}

// TestT32_Collisions: in a table of one set, many sources that displace each other have together no
// more than its slots have, and an honest one among them gets some, each second.
func TestT32_Collisions(t *testing.T) {
	s, now := fewSources(ways)
	honest := netip.MustParseAddr("192.0.2.1")
	total, got := 0, 0
	const seconds = 60
	for tick := range seconds * 10 {
		for i := range 50 {
			if s.take(now, addressOf(tick*50+i)) {
				total++
			}
			if i == 25 && s.take(now, honest) {
				got++
				total++
			}
		}
		now = now.Add(100 * time.Millisecond)
	}
	if most := ways * (10 + 5*seconds); total > most {
		t.Errorf("%d handshakes, at most %d", total, most)
	}
	if got == 0 {
		t.Error("the honest source was shut out")
	}
}

// TestT32_DisplacedGetNothingBack: a source whose slot another has by now gives nothing back to it.
func TestT32_DisplacedGetNothingBack(t *testing.T) {
	s, now := fewSources(ways)
	first := addressOf(0)
	s.take(now, first)
	for n := 1; s.take(now, addressOf(n)); n++ {
	}
	s.giveBack(first)
	if s.take(now, first) {
		t.Error("a displaced source got a token of another's")
	}
}

// TestT30_SourcesAllocateNothing: the table is one block, and never grows.
func TestT30_SourcesAllocateNothing(t *testing.T) {
	s, now := fewSources(1024)
	i := 0
	if n := testing.AllocsPerRun(10000, func() {
		i++
		s.take(now, addressOf(i))
		s.busy(now, addressOf(i))
		s.giveBack(addressOf(i))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if len(s.slots) != 1024 {
		t.Errorf("%d slots", len(s.slots))
	}
}

// TestT32_KeyedHash: where a source's slots are depends on the key, so nobody outside can aim.
func TestT32_KeyedHash(t *testing.T) {
	l := Limits{}.orDefaults()
	one, other := newSources(l, time.Time{}, [32]byte{1}), newSources(l, time.Time{}, [32]byte{2})
	index := func(s *sources, n int) int {
		slot, _ := s.findLocked(addressOf(n))
		for i := range s.slots {
			if &s.slots[i] == slot {
				return i
			}
		}
		return -1
	}
	same := 0
	for n := range 50 {
		if index(one, n) == index(other, n) {
			same++
		}
	}
	if same > 2 || len(one.slots) != 65536 {
		t.Errorf("%d of 50 sources have the same place under another key; %d slots", same, len(one.slots))
	}
}

// TestT32_NodeLimitCostsNoSource: what the node has no room for is not taken from the source.
func TestT32_NodeLimitCostsNoSource(t *testing.T) {
	s, now := fewSources(64)
	a := netip.MustParseAddr("192.0.2.1")
	for s.takeTLS(now) {
	}
	for range 100 {
		if s.takeBoth(now, a) {
			t.Fatal("more than the node's")
		}
	}
	n := 0
	for s.take(now, a) {
		n++
	}
	if n != 10 {
		t.Errorf("%d are left, want 10", n)
	}
}
