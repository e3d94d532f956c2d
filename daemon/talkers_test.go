package daemon

import (
	"net/netip"
	"testing"
	"time"
)

// TestT30_Talkers: an address is quiet for a few requests in a window, whatever others do, in fixed memory.
func TestT30_Talkers(t *testing.T) {
	now := time.Unix(1000, 0)
	l := Limits{Talkers: 4096}.orDefaults()
	talk, honest := newTalkers(l, now, [32]byte{1}), netip.MustParseAddr("192.0.2.1")
	for n := range 126 {
		answered := 0
		for range 1000 {
			if talk.quiet(now, netip.AddrFrom4([4]byte{192, 0, 2, byte(128 + n)})) {
				answered++
			}
		}
		if answered > quietTalk {
			t.Errorf("%d answers for a loud address", answered)
		}
	}
	for n := range 2 * quietTalk {
		if got := talk.quiet(now, honest); got != (n < quietTalk) {
			t.Errorf("request %d of an honest address: %v", n, got)
		}
	}
	if !talk.quiet(now.Add(talkWindow), honest) {
		t.Error("the next window does not begin anew")
	}
	if n := testing.AllocsPerRun(100, func() { talk.quiet(now, honest) }); n != 0 || len(talk.slots) != 4096 {
		t.Errorf("%v allocations, %d counters", n, len(talk.slots))
	}
	one := newTalkers(Limits{Talkers: 1}.orDefaults(), now, [32]byte{})
	for range quietTalk {
		one.quiet(now, honest)
	}
	if one.quiet(now, netip.MustParseAddr("192.0.2.2")) {
		t.Error("two addresses with one counter are counted apart")
	}
}
