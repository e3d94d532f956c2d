package soon

import (
	"testing"
	"time"
)

// TestExpectation: only after two that came within a Span the next is expected, and for a Span only.
func TestExpectation(t *testing.T) {
	var e Expectation
	at := time.Unix(1_000_000, 0)
	for i, step := range []struct {
		after time.Duration
		soon  bool
	}{{0, false}, {Span, false}, {Span - 1, true}, {0, true}, {Span, false}, {time.Hour, false}, {1, true}} {
		at = at.Add(step.after)
		e.Came(at)
		for later, want := range map[time.Duration]time.Duration{0: Span, Span - 1: 1, Span: 0, time.Hour: 0} {
			if !step.soon {
				want = 0
			}
			if got := e.Left(at.Add(later)); got != want {
				t.Errorf("step %d, %v later: %v, want %v", i, later, got, want)
			}
		}
	}
}
