package linkbench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"pc5d/daemon/lab"
	"pc5d/daemon/lab/machine"
)

const (
	singleLimit   = time.Minute
	singleSeconds = 5
	singleEchoes  = 400
	singleSeed    = 1
	// A packet that is reordered comes after so many later ones, or so much later.
	reorderDepth = 16
	reorderTime  = 5 * time.Millisecond
)

// SingleConfig says what link is measured.
type SingleConfig struct {
	Program       string // pc5d
	Loss, Reorder float64
	Progress      func(string) // tells people what happens
}

// SingleResult is what one link did. Pings are in ms; one that was lost counts as lab.EchoWait.
type SingleResult struct {
	Where       string  `json:"where"`
	Loss        float64 `json:"loss_percent"`
	Reorder     float64 `json:"reorder_percent"`
	Throughput  float64 `json:"tcp_gbit_per_s"`
	Retransmits int     `json:"tcp_retransmits"`
	Daemons     float64 `json:"daemons_s_per_gb"`
	Idle        Pings   `json:"ping_idle_ms"`
	Loaded      Pings   `json:"ping_under_tcp_ms"`
}

// Pings are percentiles.
type Pings struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	Lost int     `json:"lost"`
	Sent int     `json:"sent"`
}

func pingsOf(took []time.Duration) Pings {
	p := Pings{P50: milliseconds(took, 50), P90: milliseconds(took, 90), P99: milliseconds(took, 99), Sent: len(took)}
	for _, d := range took {
		if d >= lab.EchoWait {
			p.Lost++
		}
	}
	return p
}

// Single measures one link of two pc5d that are there already, and leaves nothing behind.
func Single(ctx context.Context, cfg SingleConfig) (r SingleResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, singleLimit)
	defer cancel()
	if err := missing(nil); err != nil {
		return SingleResult{}, err
	}
	dir, err := os.MkdirTemp("", "pc5-bench-")
	if err != nil {
		return SingleResult{}, err
	}
	defer os.RemoveAll(dir)
	pair, err := singlePair(cfg, dir)
	if err != nil {
		return SingleResult{}, err
	}
	t, err := startPair(ctx, pair, dir, "pc5d", cfg.Program)
	if err != nil {
		return SingleResult{}, errors.Join(err, pair.Close())
	}
	defer func() { err = errors.Join(err, t.close()) }()
	if err := t.open(ctx); err != nil {
		return SingleResult{}, err
	}
	cfg.Progress("pings")
	idle, err := t.idle(ctx, singleEchoes)
	if err != nil {
		return SingleResult{}, err
	}
	cfg.Progress("one TCP stream with pings")
	s, err := t.tcp(ctx, singleSeconds)
	if err != nil {
		return SingleResult{}, err
	}
	return SingleResult{
		Where: machine.String(time.Now()), Loss: cfg.Loss, Reorder: cfg.Reorder,
		Throughput: s.Throughput / 1e9, Retransmits: s.Retransmits, Daemons: s.Daemons, Idle: pingsOf(idle.Idle), Loaded: pingsOf(s.Loaded),
	}, nil
}

// singlePair joins the hosts by what does to packets as it is wanted.
func singlePair(cfg SingleConfig, dir string) (*lab.Pair, error) {
	if cfg.Loss == 0 && cfg.Reorder == 0 {
		return lab.NewPair(dir)
	}
	p, err := lab.NewPairOverWire(dir, singleSeed)
	if err != nil {
		return nil, err
	}
	err = p.Wire.Impair(lab.Impairment{Lose: cfg.Loss / 100, Hold: cfg.Reorder / 100, Depth: reorderDepth, Longest: reorderTime})
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Line is the result for machines.
func (r SingleResult) Line() ([]byte, error) { return json.Marshal(r) }

// Print writes the table for people.
func (r SingleResult) Print(w io.Writer) error {
	wire := "a veth pair"
	if r.Loss > 0 || r.Reorder > 0 {
		wire = fmt.Sprintf("a process that loses %g %% and reorders %g %% of the packets of each direction", r.Loss, r.Reorder)
	}
	fmt.Fprintf(w, "%s; two daemons joined by %s\n\n", r.Where, wire)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "TCP, one stream\t%.3f Gbit/s\t%d retransmits\n", r.Throughput, r.Retransmits)
	fmt.Fprintf(t, "processor time of both daemons\t%.2f s/GB\t\n", r.Daemons)
	for _, p := range []struct {
		name string
		Pings
	}{{"ping, idle", r.Idle}, {"ping under the stream", r.Loaded}} {
		fmt.Fprintf(t, "%s\t%.3f / %.3f / %.3f ms\t50, 90, 99 %%; %d of %d lost\n", p.name, p.P50, p.P90, p.P99, p.Lost, p.Sent)
	}
	return t.Flush()
}
