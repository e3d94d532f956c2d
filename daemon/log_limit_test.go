package daemon

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestT38_OneLineASecond: of each reason one line passes in a second, the next one tells how many were
// left out, and one reason does not hide another, nor one link another.
func TestT38_OneLineASecond(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	plain := slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})
	log := slog.New(newLimited(plain, func() time.Time { return now }, time.Second))
	lines := func() []string {
		defer out.Reset()
		return strings.Split(strings.TrimSpace(out.String()), "\n")
	}
	for range 1000 {
		log.Warn("establishment failed", "error", "anything")
		log.Debug("dropped", "reason", "malformed")
		log.Debug("dropped", "reason", "not_for_us")
		log.With("link", "alice").Info("link state", "from", "waiting", "to", "establishing")
		log.With("link", "bob").Info("link state", "from", "waiting", "to", "establishing")
		log.With("link", "bob").Info("link state", "from", "establishing", "to", "waiting")
	}
	if got := lines(); len(got) != 6 {
		t.Errorf("%d lines:\n%s", len(got), strings.Join(got, "\n"))
	}
	now = now.Add(time.Second)
	log.Warn("establishment failed", "error", "anything")
	log.Warn("establishment failed", "error", "anything")
	if got := lines(); len(got) != 1 || !strings.HasSuffix(got[0], "left_out=999") {
		t.Errorf("%q", got)
	}
	now = now.Add(time.Hour)
	log.Warn("establishment failed", "error", "anything")
	log.WithGroup("g").Warn("establishment failed")
	if got := lines(); len(got) != 2 || !strings.HasSuffix(got[0], "left_out=1") || strings.Contains(got[1], "left_out") {
		t.Errorf("%q", got)
	}
}

// TestT38_ReasonsAreBounded: what is remembered does not grow, and beyond its bound lines are still
// limited and counted.
func TestT38_ReasonsAreBounded(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	h := newLimited(slog.NewTextHandler(&out, nil), func() time.Time { return now }, time.Minute).(*limited)
	log := slog.New(h)
	for n := range 3 * maxReasons {
		log.Info("link state", "to", fmt.Sprint(n))
	}
	if n := strings.Count(out.String(), "\n"); n != maxReasons+1 || len(h.lines.reasons) != maxReasons {
		t.Errorf("%d lines, %d reasons", n, len(h.lines.reasons))
	}
	if h.lines.overflow.left != 2*maxReasons-1 {
		t.Errorf("%d were left out", h.lines.overflow.left)
	}
}

// TestT30_LogAllocatesNothing: a line that is left out costs nothing, whoever causes it.
func TestT30_LogAllocatesNothing(t *testing.T) {
	log := slog.New(newLimited(slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: slog.LevelDebug}), func() time.Time { return time.Unix(1000, 0) }, time.Second))
	if n := testing.AllocsPerRun(100, func() {
		log.LogAttrs(t.Context(), slog.LevelDebug, "dropped", slog.String("reason", "malformed"))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
