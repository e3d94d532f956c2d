package daemon

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// maxReasons bounds the reasons that are told apart at a time; beyond it all others share one line.
const maxReasons = 1024

// limited is a slog.Handler that lets one line of each reason through in a time, because a peer can
// cause most of them (T38). The next line that passes tells how many were left out. A reason is the
// message, the attributes of the logger, and those of the words below: their values are ours, never a
// peer's.
type limited struct {
	slog.Handler
	of    string // attributes of the logger
	lines *lines // of all loggers that come from one
}

type lines struct {
	now   func() time.Time
	every time.Duration

	mu       sync.Mutex // guards the fields below
	key      []byte     // scratch
	reasons  map[string]*reason
	overflow reason
	swept    time.Time // when reasons last made room
}

type reason struct {
	next time.Time // not before
	left uint64    // lines that were left out
}

// LimitLog limits the lines of a log that peers can cause outside of the Node.
func LimitLog(log *slog.Logger) *slog.Logger {
	return slog.New(newLimited(log.Handler(), time.Now, Limits{}.orDefaults().LogEvery))
}

func newLimited(h slog.Handler, now func() time.Time, every time.Duration) slog.Handler {
	return &limited{Handler: h, lines: &lines{now: now, every: every, reasons: map[string]*reason{}}}
}

// distinguishes names the attributes that make another reason.
func distinguishes(key string) bool {
	switch key {
	case "link", "from", "to", "procedure", "reason", "role":
		return true
	}
	return false
}

// Handle implements slog.Handler.
func (l *limited) Handle(ctx context.Context, r slog.Record) error {
	left, ok := l.lines.take(l.of, r)
	if !ok {
		return nil
	}
	if left > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Uint64("left_out", left))
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l *limited) WithAttrs(attrs []slog.Attr) slog.Handler {
	of := l.of
	for _, a := range attrs {
		of += "\x00" + a.String()
	}
	return &limited{Handler: l.Handler.WithAttrs(attrs), of: of, lines: l.lines}
}

// WithGroup implements slog.Handler.
func (l *limited) WithGroup(name string) slog.Handler {
	return &limited{Handler: l.Handler.WithGroup(name), of: l.of + "\x01" + name, lines: l.lines}
}

// take tells whether a line may go, and how many like it were left out since the last one.
func (l *lines) take(of string, r slog.Record) (left uint64, ok bool) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.reasonLocked(now, of, r)
	if now.Before(x.next) {
		x.left++
		return 0, false
	}
	left, x.left, x.next = x.left, 0, now.Add(l.every)
	return left, true
}

func (l *lines) reasonLocked(now time.Time, of string, r slog.Record) *reason {
	l.key = append(append(l.key[:0], of...), r.Message...)
	r.Attrs(func(a slog.Attr) bool {
		if distinguishes(a.Key) && a.Value.Kind() == slog.KindString {
			l.key = append(append(l.key, 0), a.Value.String()...)
		}
		return true
	})
	if x := l.reasons[string(l.key)]; x != nil {
		return x
	}
	if len(l.reasons) >= maxReasons && !l.sweepLocked(now) {
		return &l.overflow
	}
	x := new(reason)
	l.reasons[string(l.key)] = x
	return x
}

// sweepLocked forgets reasons whose next line may go in any case, so that links which came and went leave
// room for others; what they left out counts with the rest. It is a long way, so it is seldom gone.
func (l *lines) sweepLocked(now time.Time) bool {
	if now.Before(l.swept.Add(l.every)) {
		return false
	}
	l.swept = now
	for key, x := range l.reasons {
		if !now.Before(x.next) {
			l.overflow.left += x.left
			delete(l.reasons, key)
		}
	}
	return len(l.reasons) < maxReasons
}
