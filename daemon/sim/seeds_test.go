package sim_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"pc5d/daemon/sim"
)

// defaultSeeds is what plain go test runs; make sim runs thousands.
const defaultSeeds = 40

// TestSeeds runs generated worlds, each twice. SIM_FIRST and SIM_SEEDS choose the seeds;
// SIM_TRACE=1 prints everything that happened.
func TestSeeds(t *testing.T) {
	first, count := environment(t, "SIM_FIRST", 1), environment(t, "SIM_SEEDS", defaultSeeds)
	if testing.Short() {
		count = min(count, defaultSeeds/4)
	}
	begin := time.Now()
	for seed := first; seed < first+count && !t.Failed(); seed++ {
		runSeed(t, seed)
	}
	spent := time.Since(begin)
	t.Logf("%d seeds from %d in %v, %.1f seeds/s", count, first, spent.Round(time.Millisecond), float64(count)/spent.Seconds())
}

// TestRegressions runs the seeds that failed once.
func TestRegressions(t *testing.T) {
	f, err := os.Open("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		number, _, _ := strings.Cut(lines.Text(), " ")
		if number == "" || strings.HasPrefix(number, "#") {
			continue
		}
		seed, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		runSeed(t, seed)
	}
}

func environment(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%q is no number", name, text)
	}
	return n
}

// runSeed runs one seed twice; what happens must be the same, and right.
func runSeed(t *testing.T, seed uint64) {
	t.Helper()
	once, again := playSeed(t, seed), playSeed(t, seed)
	if once != again {
		t.Errorf("seed %d: two runs differ: %s and %s: make sim SEED=%d", seed, once, again, seed)
	}
}

func playSeed(t *testing.T, seed uint64) (hash string) {
	t.Helper()
	w := newWorld(t, seed)
	w.Trace.Logs = os.Getenv("SIM_TRACE") != ""
	err := w.Scenario()
	if w.Trace.Logs {
		w.Trace.WriteTo(os.Stdout)
	}
	if err != nil {
		failed(t, w, err)
	}
	return w.Trace.Hash()
}

// newWorld makes an empty world with seeded cryptography. Its state directories are in memory
// where the system has such a place: the daemon syncs each change of its state.
func newWorld(t *testing.T, seed uint64) *sim.World {
	t.Helper()
	cryptotest.SetGlobalRandom(t, seed)
	dir, err := os.MkdirTemp("/dev/shm", "pc5d-sim-*")
	if err != nil {
		dir = t.TempDir()
	}
	w := sim.New(seed, dir)
	t.Cleanup(func() {
		w.Close()
		os.RemoveAll(dir)
	})
	return w
}

// generated tells whether the test's worlds are made by their seed alone.
func generated(t *testing.T) bool { return t.Name() == "TestSeeds" || t.Name() == "TestRegressions" }

var errBroken = errors.New("see above")

// failed says how to have the run again, and leaves what shows it.
func failed(t *testing.T, w *sim.World, err error) {
	t.Helper()
	dir := t.ArtifactDir()
	leave := func(name string, write func(io.Writer) error) {
		f, err := os.Create(filepath.Join(dir, strconv.FormatUint(w.Seed, 10)+"."+name))
		if err != nil {
			t.Error(err)
			return
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			t.Error(err)
		}
	}
	leave("txt", w.WriteDiagram)
	leave("trace", func(out io.Writer) error { _, err := w.Trace.WriteTo(out); return err })
	leave("pcapng", w.WriteCapture)
	again := fmt.Sprintf("make sim SEED=%d", w.Seed)
	if !generated(t) {
		again = fmt.Sprintf("go test -run '^%s$' ./daemon/sim", t.Name())
	}
	t.Errorf("seed %d: %v\nagain: %s; diagram and capture in %s (go test -artifacts keeps them)", w.Seed, err, again, dir)
}
