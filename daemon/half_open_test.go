package daemon

import (
	"net/netip"
	"testing"
	"time"
)

func conversationOf(address string, n int) conversation {
	return conversation{from: netip.AddrPortFrom(netip.MustParseAddr(address), uint16(n)), peer: 1, tag: [8]byte{byte(n), byte(n >> 8)}}
}

// T32: one source has its own limit and never takes the place of another's.
func TestT32_HalfOpenPerSource(t *testing.T) {
	h := newHalfOpen()
	for n := range maxHalfOpenPerSource {
		if err := h.begin(conversationOf("192.0.2.1", n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.begin(conversationOf("192.0.2.1", 99)); err == nil {
		t.Error("a source has one more than its limit")
	}
	if err := h.begin(conversationOf("192.0.2.2", 1)); err != nil {
		t.Errorf("another source is refused: %v", err)
	}
	for n := range maxHalfOpenPerSource {
		if err := h.begin(conversationOf("2001:db8::1", n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.begin(conversationOf("2001:db8::2", 99)); err == nil {
		t.Error("two addresses of one /64 have limits of their own")
	}
}

// T05: a recorded first response starts nothing for as long as its cookie lives.
func TestT05_ConversationIsSpentForACookiesLife(t *testing.T) {
	h, now, c := newHalfOpen(), time.Unix(0, 0), conversationOf("192.0.2.1", 1)
	if h.known(now, c) {
		t.Error("known before it began")
	}
	if err := h.begin(c); err != nil {
		t.Fatal(err)
	}
	h.end(now, c)
	h.end(now, c)
	if !h.known(now.Add(cookieLife-1), c) {
		t.Error("forgotten while its cookie lives")
	}
	if h.known(now.Add(cookieLife), c) || len(h.spent) != 0 || len(h.order) != 0 || len(h.sources) != 0 {
		t.Errorf("still there afterwards: %+v", h)
	}
}

// T05: what is remembered is bounded.
func TestT05_SpentConversationsAreBounded(t *testing.T) {
	h, now := newHalfOpen(), time.Unix(0, 0)
	for n := range maxSpent + 10 {
		c := conversationOf("192.0.2.1", n)
		if err := h.begin(c); err != nil {
			t.Fatal(err)
		}
		h.end(now, c)
	}
	if len(h.spent) != maxSpent || len(h.order) != maxSpent {
		t.Errorf("%d and %d remembered, want %d", len(h.spent), len(h.order), maxSpent)
	}
}
