package authbench

import (
	"context"
	"crypto/tls"
	"fmt"
	"runtime"
	"time"

	"pc5d/daemon/auth"
	"pc5d/daemon/lab/machine"
)

// Config says how much is measured.
type Config struct {
	Time     time.Duration // processor time of each measurement, about
	Progress func(string)  // tells people what is measured now; nil: nobody
}

// Peers that resume are as many as there is time for, between these; all of them come in each round.
// So many responders are left half open.
const (
	fewestPeers = 50
	mostPeers   = 1000
	perPeer     = 2 * time.Millisecond
	responders  = 256
)

// Result is what was measured.
type Result struct {
	Where           string // date, machine and versions
	Hybrid, Classic Comparison
	Resumption      Resumption
	HalfOpen        HalfOpen
}

// hybrid is what package auth offers by default.
func hybrid() []tls.CurveID { return []tls.CurveID{tls.X25519MLKEM768, tls.X25519} }

// Run measures. It takes the process for itself: the number of Ps is 1 until it returns.
func Run(ctx context.Context, cfg Config) (Result, error) {
	if cfg.Time <= 0 {
		return Result{}, fmt.Errorf("a time of %v to measure for: give one such as 2s", cfg.Time)
	}
	if cfg.Progress == nil {
		cfg.Progress = func(string) {}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	peers := max(fewestPeers, min(mostPeers, int(cfg.Time/perPeer)))
	r := Result{Where: machine.String(time.Now())}
	for _, step := range []struct {
		what    string
		measure func() error
	}{
		{"full authentication and bare handshakes, hybrid group", func() (err error) { r.Hybrid, err = compare(ctx, cfg.Time, hybrid()); return err }},
		{"full authentication and bare handshakes, classic group", func() (err error) { r.Classic, err = compare(ctx, cfg.Time, auth.Classic()); return err }},
		{"re-establishment from kept keys", func() (err error) { r.Resumption, err = resume(ctx, cfg.Time, peers); return err }},
		{"memory of half-open responders", func() (err error) { r.HalfOpen, err = halfOpen(responders, hybrid()); return err }},
	} {
		cfg.Progress(step.what)
		if err := step.measure(); err != nil {
			return Result{}, fmt.Errorf("measuring %s: %w", step.what, err)
		}
	}
	return r, nil
}
