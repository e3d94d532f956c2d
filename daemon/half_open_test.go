package daemon

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pc5d/daemon/auth/cookie"
)

func conversationOf(address string, n int) conversation {
	return conversation{from: netip.AddrPortFrom(netip.MustParseAddr(address), uint16(n)), peer: 1, tag: [8]byte{byte(n), byte(n >> 8)}}
}

func newSmallHalfOpen() *halfOpen {
	return newHalfOpen(Limits{HalfOpen: 20, HalfOpenPerSource: 8, Spent: 100})
}

// put begins a conversation with a runner of its own.
func (h *halfOpen) put(t *testing.T, now time.Time, c conversation) (r, evicted *runner) {
	t.Helper()
	evicted, err := h.begin(now, c)
	if err != nil {
		t.Fatal(err)
	}
	r = &runner{}
	h.attach(c, r)
	return r, evicted
}

// TestT32_OwnOldestMakesRoom: the ninth unfinished establishment of one source ends the oldest of that
// source, and never another's, although others are older; addresses of one /64 are one source.
func TestT32_OwnOldestMakesRoom(t *testing.T) {
	h, now := newSmallHalfOpen(), time.Unix(0, 0)
	other, _ := h.put(t, now, conversationOf("192.0.2.2", 1))
	own := map[int]*runner{}
	for n := range 30 {
		address := "192.0.2.1"
		r, evicted := h.put(t, now, conversationOf(address, n))
		own[n] = r
		if evicted != own[n-h.limits.HalfOpenPerSource] {
			t.Fatalf("the conversation %d ended another one than the source's oldest", n)
		}
	}
	for n := range 9 {
		if _, evicted := h.put(t, now, conversationOf([]string{"2001:db8::1", "2001:db8::ffff"}[n%2], n)); (evicted != nil) != (n == 8) {
			t.Errorf("conversation %d of a /64 ended one: %v", n, evicted != nil)
		}
	}
	if h.runner(conversationOf("192.0.2.2", 1)) != other || len(h.open) != 17 {
		t.Errorf("the other source's is gone; %d are open", len(h.open))
	}
}

// TestT32_FullForAll: where all places are taken a newcomer is refused, and who has one may only
// replace his own.
func TestT32_FullForAll(t *testing.T) {
	h, now := newSmallHalfOpen(), time.Unix(0, 0)
	for n := range h.limits.HalfOpen {
		if loaded := h.loaded(netip.MustParseAddr("198.51.100.1")); loaded != (2*n >= h.limits.HalfOpen) {
			t.Errorf("%d open: loaded %v", n, loaded)
		}
		h.put(t, now, conversationOf(fmt.Sprintf("192.0.2.%d", n), n))
	}
	if evicted, err := h.begin(now, conversationOf("198.51.100.1", 1)); err == nil || evicted != nil {
		t.Error("a newcomer ends somebody else's")
	}
	first := h.runner(conversationOf("192.0.2.0", 0))
	if _, evicted := h.put(t, now, conversationOf("192.0.2.0", 99)); evicted != first {
		t.Error("it is not the own one that makes room")
	}
}

// T05: a recorded first response starts nothing for as long as its cookie lives.
func TestT05_ConversationIsSpentForACookiesLife(t *testing.T) {
	h, now, c := newSmallHalfOpen(), time.Unix(0, 0), conversationOf("192.0.2.1", 1)
	if h.known(now, c) {
		t.Error("known before it began")
	}
	if _, err := h.begin(now, c); err != nil {
		t.Fatal(err)
	}
	h.end(now, c)
	h.end(now, c)
	if !h.known(now.Add(cookie.Life-1), c) {
		t.Error("forgotten while its cookie lives")
	}
	if h.known(now.Add(cookie.Life), c) || len(h.spent) != 0 || len(h.order) != 0 || len(h.sources) != 0 {
		t.Errorf("still there afterwards: %+v", h)
	}
}

// T05: what is remembered is bounded.
func TestT05_SpentConversationsAreBounded(t *testing.T) {
	h, now := newSmallHalfOpen(), time.Unix(0, 0)
	for n := range h.limits.Spent + 10 {
		c := conversationOf("192.0.2.1", n)
		if _, err := h.begin(now, c); err != nil {
			t.Fatal(err)
		}
		h.end(now, c)
	}
	if len(h.spent) != h.limits.Spent || len(h.order) != h.limits.Spent {
		t.Errorf("%d and %d remembered, want %d", len(h.spent), len(h.order), h.limits.Spent)
	}
}
