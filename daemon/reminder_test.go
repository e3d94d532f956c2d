package daemon

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/task"
)

// calendar is a scheduler with one queue, whose alarm rings when the test says that time has passed.
type calendar struct {
	now  time.Time
	at   time.Time
	wake func()
	told []string // by day before the end
}

func (c *calendar) Now() time.Time { return c.now }
func (c *calendar) NewQueue(wake func()) task.Queue {
	c.wake = wake
	return c
}
func (c *calendar) Post(do func())                           { do() }
func (c *calendar) WakeAt(at time.Time)                      { c.at = at }
func (c *calendar) Close()                                   {}
func (c *calendar) Enabled(context.Context, slog.Level) bool { return true }
func (c *calendar) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *calendar) WithGroup(string) slog.Handler            { return c }
func (c *calendar) Handle(_ context.Context, r slog.Record) error {
	c.told = append(c.told, r.Level.String()+" "+c.now.Format(time.DateOnly))
	return nil
}

// bearer is an authentication that has nothing but a certificate.
type bearer struct {
	link.Authentication
	end time.Time
}

func (b bearer) CertificateEnd() time.Time { return b.end }

// TestReminder: the end of the own certificate is told 14 and 3 days before and when it has come, once
// each, also by a daemon that starts late.
func TestReminder(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		life time.Duration
		want []string
	}{
		{"a month", 30 * day, []string{"WARN 2026-01-17", "WARN 2026-01-28", "ERROR 2026-01-31"}},
		{"two days", 2 * day, []string{"WARN 2026-01-01", "ERROR 2026-01-03"}},
		{"none left", -day, []string{"ERROR 2026-01-01"}},
		{"nobody issued one", 0, nil},
	} {
		clock := &calendar{now: start}
		auth := bearer{}
		if c.life != 0 {
			auth.end = start.Add(c.life)
		}
		r := newReminder(&Node{cfg: Config{Auth: auth, Scheduler: clock}, log: slog.New(clock)})
		r.start()
		for range 1000 {
			if clock.at.IsZero() || !clock.at.After(clock.now) {
				break
			}
			if clock.at.Sub(clock.now) > remindEvery {
				t.Fatalf("%s: sleeps for %v", c.name, clock.at.Sub(clock.now))
			}
			clock.now = clock.at
			clock.wake()
		}
		r.close()
		if !slices.Equal(clock.told, c.want) {
			t.Errorf("%s: told %v, want %v", c.name, clock.told, c.want)
		}
	}
}
