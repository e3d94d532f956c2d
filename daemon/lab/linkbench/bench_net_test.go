//go:build net

package linkbench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestRoundsLeaveNothing: pc5d beside itself, so that no peer need be installed; one round measures
// everything, the next one is interrupted, and then no process is left.
func TestRoundsLeaveNothing(t *testing.T) {
	if err := missing(nil); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b := &bench{progress: func(what string) { t.Log(what) }}
	if err := b.programs.build(ctx, t.TempDir(), b.progress); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var err error
	if b.ours, err = startPC5(ctx, dir, "one", b.programs.pc5d); err != nil {
		t.Fatal(err)
	}
	if b.theirs, err = startPC5(ctx, dir, "other", b.programs.pc5d); err != nil {
		t.Fatal(errors.Join(err, b.close()))
	}
	var processes []string
	for _, tunnel := range b.tunnels() {
		err = errors.Join(err, tunnel.open(ctx))
		for _, p := range []int{tunnel.sender.PID(), tunnel.receiver.PID()} {
			processes = append(processes, filepath.Join("/proc", strconv.Itoa(p)))
		}
	}
	if err != nil {
		t.Fatal(errors.Join(err, b.close()))
	}
	p := plan{name: "test", seconds: 1, small: 200 * time.Millisecond, echoes: 20, fewest: 1, most: 1}
	s, err := b.rounds(ctx, p)
	if err == nil {
		_, err = rows(allFigures(), s.ours, s.theirs)
	}
	if err != nil {
		t.Error(err)
	}
	interrupted, interrupt := context.WithTimeout(ctx, 300*time.Millisecond)
	defer interrupt()
	begin := time.Now()
	if _, err := b.rounds(interrupted, p); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 5*time.Second {
		t.Errorf("interrupted: %v after %v", err, time.Since(begin))
	}
	if err := b.close(); err != nil {
		t.Error(err)
	}
	for _, path := range processes {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
}
