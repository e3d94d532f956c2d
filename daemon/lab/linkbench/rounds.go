package linkbench

import (
	"context"
	"fmt"
	"time"
)

// settle passes between two measurements, so that none finds the queues of the one before.
const settle = 50 * time.Millisecond

// plan says what is measured in each round of a condition, and for how long.
type plan struct {
	name    string
	seconds int           // of TCP
	small   time.Duration // of UDP; 0: none
	echoes  uint16        // over the idle link; 0: none
	fewest  int           // rounds
	most    int
	end     time.Time // no round beyond the fewest begins that would end later
}

// samples are what the tunnels did, round by round; null is empty without such a tunnel.
type samples struct{ ours, theirs, null []Sample }

// measurement is one step of a round.
type measurement struct {
	what    string
	tunnels []*tunnel
	of      func(context.Context, *tunnel) (Sample, error)
}

// steps are the measurements of a round, each for all tunnels in turn.
func (b *bench) steps(p plan) []measurement {
	both, all := []*tunnel{b.ours, b.theirs}, []*tunnel{b.ours, b.theirs}
	if b.null != nil {
		all = append(all, b.null)
	}
	steps := []measurement{{"TCP", all, func(ctx context.Context, t *tunnel) (Sample, error) { return t.tcp(ctx, p.seconds) }}}
	if p.small > 0 {
		steps = append(steps, measurement{"UDP", both, func(ctx context.Context, t *tunnel) (Sample, error) { return t.small(ctx, p.small) }})
	}
	if p.echoes > 0 {
		steps = append(steps, measurement{"ping", both, func(ctx context.Context, t *tunnel) (Sample, error) { return t.idle(ctx, p.echoes) }})
	}
	return steps
}

// rounds measures all tunnels in turn.
func (b *bench) rounds(ctx context.Context, p plan) (samples, error) {
	var all samples
	for done := 0; done < p.most; done++ {
		begin := time.Now()
		got := map[*tunnel]*Sample{b.ours: {}, b.theirs: {}, b.null: {}}
		for _, step := range b.steps(p) {
			for _, t := range step.tunnels {
				s, err := step.of(ctx, t)
				if err != nil {
					return samples{}, err
				}
				got[t].add(s)
				if err := sleep(ctx, settle); err != nil {
					return samples{}, err
				}
			}
		}
		all.ours, all.theirs = append(all.ours, *got[b.ours]), append(all.theirs, *got[b.theirs])
		if b.null != nil {
			all.null = append(all.null, *got[b.null])
		}
		b.tell(p, done+1, *got[b.ours], *got[b.theirs])
		if done+1 >= p.fewest && time.Now().Add(time.Since(begin)).After(p.end) {
			break
		}
	}
	return all, nil
}

// tell says how a round went.
func (b *bench) tell(p plan, round int, ours, theirs Sample) {
	line := fmt.Sprintf("%s, round %d: TCP %.2f / %.2f Gbit/s, CPU %.2f / %.2f s/GB", p.name, round,
		ours.Throughput/1e9, theirs.Throughput/1e9, ours.Daemons, theirs.Daemons)
	if p.small > 0 {
		line += fmt.Sprintf(", UDP %.0f / %.0f kpps", ours.Packets/1e3, theirs.Packets/1e3)
	}
	if p.echoes > 0 {
		line += fmt.Sprintf(", ping %.3f / %.3f ms, under load %.2f / %.2f ms", milliseconds(ours.Idle, 50), milliseconds(theirs.Idle, 50),
			milliseconds(ours.Loaded, 50), milliseconds(theirs.Loaded, 50))
	}
	b.progress(line)
}
