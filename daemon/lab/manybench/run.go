package manybench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"pc5d/daemon/lab"
	"pc5d/daemon/lab/machine"
)

const (
	limit = 3 * time.Minute
	// asking is how many links are asked for at a time; the daemon makes fewer attempts at a time.
	asking = 32
	upTime = 30 * time.Second
	// settle passes before the idle window: the last messages and timers of establishment.
	settle = 2 * time.Second
	pings  = 10
)

// Config says what is measured.
type Config struct {
	Program   string        // pc5d
	Links     int           // of each daemon
	Idle      time.Duration // the window; keep-alives are sent after as long
	Progress  func(string)  // tells people what happens
	KeepAlive time.Duration // silence after which a link asks for a sign of life
}

// Result is what was measured.
type Result struct {
	Where       string        `json:"where"`
	Links       int           `json:"links"`
	Created     time.Duration `json:"created_ns"` // the slower end
	Established time.Duration `json:"established_ns"`
	Resident    int64         `json:"resident_octets"`        // the larger end
	Kernel      int64         `json:"kernel_octets"`          // for one end
	Idle        float64       `json:"idle_percent_of_a_core"` // the busier end
	KeepAlive   time.Duration `json:"keepalive_ns"`
	Ping        time.Duration `json:"ping_ns"` // median over some of the links
}

// bench is one run.
type bench struct {
	cfg  Config
	pair *lab.Pair
}

// Run measures.
func Run(ctx context.Context, cfg Config) (r Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if cfg.Links < 1 || cfg.Links > mostLinks {
		return Result{}, fmt.Errorf("%d links: give 1 to %d", cfg.Links, mostLinks)
	}
	dir, err := os.MkdirTemp("", "pc5-bench-")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(dir)
	b := &bench{cfg: cfg}
	if b.pair, err = lab.NewPair(dir); err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, b.pair.Close()) }()
	if err := provision(b.pair, cfg.Links, cfg.KeepAlive); err != nil {
		return Result{}, err
	}
	r = Result{Where: machine.String(time.Now()), Links: cfg.Links, KeepAlive: cfg.KeepAlive}
	before, err := kernelMemory()
	if err != nil {
		return Result{}, err
	}
	for _, step := range []func(context.Context, *Result) error{b.create, b.establish, b.idle, b.ping} {
		if err := step(ctx, &r); err != nil {
			return Result{}, err
		}
	}
	return r, b.memory(&r, before)
}

func (b *bench) ends() []*lab.Node { return []*lab.Node{b.pair.Alice, b.pair.Bob} }

// create starts the daemons, one after the other.
func (b *bench) create(ctx context.Context, r *Result) error {
	b.cfg.Progress(fmt.Sprintf("creation of %d interfaces", b.cfg.Links))
	for _, n := range b.ends() {
		begin := time.Now()
		if err := n.Start(ctx, b.cfg.Program); err != nil {
			return err
		}
		r.Created = max(r.Created, time.Since(begin))
	}
	return nil
}

// establish asks the first end for all links, some at a time, as one who wants them all would.
func (b *bench) establish(ctx context.Context, r *Result) error {
	b.cfg.Progress("establishment")
	begin, wanted := time.Now(), make(chan string)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var workers sync.WaitGroup
	for range asking {
		workers.Go(func() {
			for name := range wanted {
				if err := b.up(ctx, name); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, name := range names(b.pair, b.cfg.Links) {
		wanted <- name
	}
	close(wanted)
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	r.Established = time.Since(begin)
	return nil
}

func (b *bench) up(ctx context.Context, name string) error {
	if ctx.Err() != nil {
		return nil // the first failure has been told
	}
	s, err := b.pair.Alice.Client.Up(ctx, name, upTime)
	if err != nil {
		return fmt.Errorf("link %s: %w", name, err)
	}
	if s.State != "established" {
		return fmt.Errorf("link %s is %s: %s %s", name, s.State, s.LastError, s.Hint)
	}
	return nil
}

// idle watches both daemons while nothing is wanted of them.
func (b *bench) idle(ctx context.Context, r *Result) error {
	b.cfg.Progress(fmt.Sprintf("idle processor time in %s", b.cfg.Idle))
	if err := sleep(ctx, settle); err != nil {
		return err
	}
	var before [2]time.Duration
	var err error
	for i, n := range b.ends() {
		if before[i], err = runTime(n.Process().PID()); err != nil {
			return err
		}
	}
	begin := time.Now()
	if err := sleep(ctx, b.cfg.Idle); err != nil {
		return err
	}
	for i, n := range b.ends() {
		after, err := runTime(n.Process().PID())
		if err != nil {
			return err
		}
		r.Idle = max(r.Idle, 100*float64(after-before[i])/float64(time.Since(begin)))
	}
	return nil
}

// ping sends echoes over links that lie far apart.
func (b *bench) ping(_ context.Context, r *Result) error {
	b.cfg.Progress("pings")
	var took []time.Duration
	for i := range min(pings, b.cfg.Links) {
		to := b.pair.Bob.Four
		if at := i * b.cfg.Links / pings; at > 0 {
			to = inner(7, at)
		}
		d, err := b.pair.Alice.Host.Ping(to, time.Second)
		if err != nil {
			return err
		}
		took = append(took, d)
	}
	slices.Sort(took)
	r.Ping = took[len(took)/2]
	return nil
}

// memory looks at the daemons from outside; before is what the kernel had before them.
func (b *bench) memory(r *Result, before int64) error {
	for _, n := range b.ends() {
		u, err := n.Usage()
		if err != nil {
			return err
		}
		r.Resident = max(r.Resident, u.Resident)
	}
	after, err := kernelMemory()
	r.Kernel = (after - before) / 2
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
