package dataplane

import (
	"testing"
	"time"
)

// TestModeration: only small packets that come densely, and few at once, are worth a pause.
func TestModeration(t *testing.T) {
	at, m := time.Unix(1_000_000, 0), moderation{}
	for i, turn := range []struct {
		after        time.Duration
		small, large int
		pause        bool
	}{
		{time.Hour, 1, 0, false}, // the first one
		{time.Millisecond, 1, 0, false},
		{denseEach, 1, 0, false},
		{denseEach - 1, 1, 0, true},
		{denseEach - 1, 0, 0, false},
		{3 * denseEach, 3, 0, false},
		{3*denseEach - 1, 3, 0, true},
		{0, 3, 1, false}, // a super-packet does not wait
		{0, 0, 1, false},
		{0, denseEnough - 1, 0, true},
		{0, denseEnough, 0, false}, // each turn has enough
		{time.Second, denseEnough - 1, 0, false},
		{-time.Second, 1, 0, true}, // a clock without sense costs a pause, not more
	} {
		at = at.Add(turn.after)
		m.small, m.large = turn.small, turn.large
		if got := m.due(at); got != turn.pause {
			t.Errorf("turn %d: %t", i, got)
		}
	}
}
