package daemon

import (
	"testing"
	"time"
)

// TestQuiet: one line a second, and the next one says how many were not written; a clock that is set
// back silences nothing.
func TestQuiet(t *testing.T) {
	var q quiet
	now := time.Unix(1_800_000_000, 0)
	lines := 0
	for range 1000 {
		if _, ok := q.line(now); ok {
			lines++
		}
		now = now.Add(2500 * time.Microsecond)
	}
	if lines != 3 {
		t.Errorf("%d lines in 2.5 s", lines)
	}
	if missed, ok := q.line(now.Add(time.Second)); !ok || missed != 199 {
		t.Errorf("%v, %d missed", ok, missed)
	}
	if _, ok := q.line(now.Add(-time.Hour)); !ok {
		t.Error("silent after the clock was set back")
	}
}
