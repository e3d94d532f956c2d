package authbench_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pc5d/daemon/lab/authbench"
)

// TestFigures: a short run measures everything, and leaves the process as it was. How fast the
// machine is is not asked: it may be busy.
func TestFigures(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	processors := runtime.GOMAXPROCS(0)
	var steps int
	r, err := authbench.Run(t.Context(), authbench.Config{Time: 20 * time.Millisecond, Progress: func(string) { steps++ }})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		got   authbench.Comparison
		group tls.CurveID
	}{{"hybrid", r.Hybrid, tls.X25519MLKEM768}, {"classic", r.Classic, tls.X25519}} {
		if c.got.Group != c.group || c.got.Pairs < 9 || c.got.Full <= 0 || c.got.Bare <= 0 || c.got.Ratio <= 0 {
			t.Errorf("%s: got %+v, want group %v, 9 pairs and costs", c.name, c.got, c.group)
		}
	}
	if r.Resumption.Rounds < 9 || r.Resumption.Responder <= 0 || r.Resumption.PerSecond <= 0 {
		t.Errorf("resumption: %+v", r.Resumption)
	}
	if r.HalfOpen.Heap <= 0 || r.HalfOpen.Stack < 0 {
		t.Errorf("half open: %+v", r.HalfOpen)
	}
	if steps != 4 {
		t.Errorf("told of %d measurements, want 4", steps)
	}
	if got := runtime.GOMAXPROCS(0); got != processors {
		t.Errorf("%d Ps afterwards, %d before", got, processors)
	}
	t.Logf("%+v", r)
}

// TestLine: the line for machines has two keys, whatever else is measured.
func TestLine(t *testing.T) {
	r := authbench.Result{
		Hybrid:     authbench.Comparison{Group: tls.X25519MLKEM768, Full: 900 * time.Microsecond, Bare: 750 * time.Microsecond, Ratio: 0.83},
		Classic:    authbench.Comparison{Full: 1, Bare: 1},
		Resumption: authbench.Resumption{PerSecond: 6100.7},
	}
	line, err := r.Line()
	if want := `{"full_ratio":0.83,"resume_per_second":6100}`; err != nil || string(line) != want {
		t.Errorf("got %s (%v), want %s", line, err, want)
	}
	r.Hybrid.Ratio = 2. / 3
	line, _ = r.Line()
	if !regexp.MustCompile(`^\{"full_ratio":0\.667,"resume_per_second":6100\}$`).Match(line) {
		t.Errorf("got %s, want three digits", line)
	}
	var table bytes.Buffer
	if err := r.Print(&table); err != nil || !strings.Contains(table.String(), "X25519MLKEM768") {
		t.Errorf("table (%v):\n%s", err, table.String())
	}
}

// TestRunEnds: with its context, and at once where there is no time.
func TestRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := authbench.Run(ctx, authbench.Config{Time: time.Hour}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	if _, err := authbench.Run(t.Context(), authbench.Config{}); err == nil {
		t.Error("measured for no time")
	}
}
