package linkbench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"pc5d/daemon/lab"
	"pc5d/daemon/lab/machine"
)

const (
	quickLimit = 3 * time.Minute // building included
	fullLimit  = 20 * time.Minute
	// quickTime is what Quick takes once everything is built, if three rounds fit into it.
	quickTime = 42 * time.Second
	// warmUpSeconds of full load do not count, beyond the seconds that iperf3 leaves out.
	warmUpSeconds = 1
	warmUpFlood   = 300 * time.Millisecond
)

// Config says where and to whom.
type Config struct {
	Programs string       // folder for what is built; it is kept
	Progress func(string) // tells people what happens
}

// Result is what was measured.
type Result struct {
	Where, Versions string
	Load            string // average of the minute before
	Ratios          Ratios
	Conditions      []Condition
}

// Condition is what was measured in one state of the wire.
type Condition struct {
	Name   string // short, for the chart
	Detail string // a sentence, for the table
	Rounds int
	Rows   []Row // the first is the throughput, the second the cost
}

// bench is one run.
type bench struct {
	progress     func(string)
	programs     programs
	ours, theirs *tunnel
	null         *tunnel // nil: there is no such build
}

// Quick measures the figures of Ratios in less than 50 seconds once the programs are built: at least
// three rounds, and more where the time allows.
func Quick(ctx context.Context, cfg Config) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	return run(ctx, cfg, nil, func(b *bench, r *Result, begin time.Time) error {
		p := plan{
			name: "offloads on", seconds: 2, small: 600 * time.Millisecond, echoes: 60,
			fewest: 3, most: 7, end: begin.Add(quickTime),
		}
		if b.null != nil { // a third tunnel in the same time
			p.seconds = 1
		}
		return b.condition(ctx, r, p, "offloads of the wire on", allFigures())
	})
}

// Full measures more rounds, and the wire without offloads and with loss as well: some minutes.
func Full(ctx context.Context, cfg Config) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, fullLimit)
	defer cancel()
	const rounds = 7
	loss := need{"nft": "install the package nftables"}
	return run(ctx, cfg, loss, func(b *bench, r *Result, _ time.Time) error {
		p := plan{name: "offloads on", seconds: 4, small: 1500 * time.Millisecond, echoes: 200, fewest: rounds, most: rounds}
		if err := b.condition(ctx, r, p, "offloads of the wire on", allFigures()); err != nil {
			return err
		}
		if err := b.eachLab((*lab.Lab).OffloadsOff); err != nil {
			return err
		}
		p.name = "offloads off"
		if err := b.condition(ctx, r, p, "offloads of the wire off (TSO, GSO, GRO, UDP segmentation): a network card without help", allFigures()); err != nil {
			return err
		}
		for _, perMille := range []int{1, 10} {
			percent := float64(perMille) / 10
			if err := b.lose(perMille); err != nil {
				return err
			}
			p := plan{name: fmt.Sprintf("%g %% loss", percent), seconds: 4, fewest: rounds, most: rounds}
			detail := fmt.Sprintf("%g %% of the datagrams lost in each direction, at random, offloads off", percent)
			if err := b.condition(ctx, r, p, detail, lossFigures()); err != nil {
				return err
			}
		}
		return nil
	})
}

// run prepares, measures and cleans up.
func run(ctx context.Context, cfg Config, more need, measure func(*bench, *Result, time.Time) error) (r Result, err error) {
	if err := errors.Join(missing(more), need{"go": "put Go's bin directory into PATH"}.missing()); err != nil {
		return Result{}, err
	}
	b := &bench{progress: cfg.Progress}
	if err := b.programs.install(ctx, cfg.Programs, cfg.Progress); err != nil {
		return Result{}, err
	}
	begin := time.Now()
	if err := b.programs.build(ctx, cfg.Programs, cfg.Progress); err != nil {
		return Result{}, err
	}
	r.Where = machine.String(begin)
	r.Versions = fmt.Sprintf("wireguard-go %s, %s", b.programs.peerVersion, iperfVersion(ctx))
	r.Load = load()
	undo, err := goFirst()
	if err != nil {
		return Result{}, err
	}
	defer undo()
	dir, err := os.MkdirTemp("", "pc5-bench-")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(dir)
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.open(ctx, dir); err != nil {
		return Result{}, err
	}
	return r, measure(b, &r, begin)
}

// open brings all tunnels up.
func (b *bench) open(ctx context.Context, dir string) (err error) {
	b.progress("bringing the tunnels up")
	if b.ours, err = startPC5(ctx, dir, "pc5d", b.programs.pc5d); err != nil {
		return err
	}
	if b.theirs, err = startWireGuard(ctx, dir, b.programs.peer); err != nil {
		return err
	}
	if b.programs.null != "" {
		if b.null, err = startPC5(ctx, dir, "pc5d-null", b.programs.null); err != nil {
			return err
		}
	}
	for _, t := range b.tunnels() {
		if err := t.open(ctx); err != nil {
			return err
		}
	}
	return b.warmUp(ctx)
}

// warmUp floods each tunnel, then fills all at once: a program whose buffers have grown is faster
// than one that has just started.
func (b *bench) warmUp(ctx context.Context) error {
	b.progress("warming up")
	up := b.tunnels()
	for _, t := range up {
		if _, err := t.small(ctx, warmUpFlood); err != nil {
			return err
		}
	}
	ended := make(chan error, len(up))
	for _, t := range up {
		go func() {
			_, err := t.stream(ctx, warmUpSeconds)
			ended <- err
		}()
	}
	var err error
	for range up {
		err = errors.Join(err, <-ended)
	}
	return err
}

// tunnels are those that are up.
func (b *bench) tunnels() []*tunnel {
	var up []*tunnel
	for _, t := range []*tunnel{b.ours, b.theirs, b.null} {
		if t != nil {
			up = append(up, t)
		}
	}
	return up
}

func (b *bench) close() error {
	var err error
	for _, t := range b.tunnels() {
		err = errors.Join(err, t.close())
	}
	return err
}

func (b *bench) eachLab(do func(*lab.Lab) error) error {
	for _, t := range b.tunnels() {
		if err := do(t.lab); err != nil {
			return err
		}
	}
	return nil
}

// lose makes every wire lossy, in both directions.
func (b *bench) lose(perMille int) error {
	for _, t := range b.tunnels() {
		for _, h := range []*lab.Host{t.lab.A, t.lab.B} {
			if err := h.LosePerMille(perMille, t.port); err != nil {
				return fmt.Errorf("loss: %w", err)
			}
		}
	}
	return nil
}

// condition measures rounds and adds them to the result; the first condition gives the ratios.
func (b *bench) condition(ctx context.Context, r *Result, p plan, detail string, figures []figure) error {
	s, err := b.rounds(ctx, p)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	c := Condition{Name: p.name, Detail: detail, Rounds: len(s.ours)}
	if c.Rows, err = rows(figures, s.ours, s.theirs); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	if len(r.Conditions) == 0 {
		if r.Ratios, err = ratios(s); err != nil {
			return err
		}
	}
	r.Conditions = append(r.Conditions, c)
	return nil
}
