//go:build net

package lab_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pc5d/daemon/lab"
)

// both are a flow in each direction of a link.
type both [2]*lab.Flow

func startBoth(p *lab.Pair, rate int) (both, error) {
	a, err := p.Alice.Host.StartFlow(p.Bob.Host, p.Bob.Four, rate)
	if err != nil {
		return both{}, err
	}
	b, err := p.Bob.Host.StartFlow(p.Alice.Host, p.Alice.Four, rate)
	if err != nil {
		_, stop := a.Stop()
		return both{}, errors.Join(err, stop)
	}
	return both{a, b}, nil
}

func (f both) stop() (sum lab.Count, err error) {
	for _, one := range f {
		c, failed := one.Stop()
		sum.Sent, sum.Lost, sum.Doubled = sum.Sent+c.Sent, sum.Lost+c.Lost, sum.Doubled+c.Doubled
		err = errors.Join(err, failed)
	}
	return sum, err
}

// overflows are the full buffers of both hosts.
func overflows(t *testing.T, p *lab.Pair) uint64 {
	t.Helper()
	a, err := p.Alice.Host.Overflows()
	b, err2 := p.Bob.Host.Overflows()
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return a + b
}

// bearable finds the fastest pace at which this machine loses nothing while the keys stay.
func bearable(t *testing.T, p *lab.Pair) int {
	t.Helper()
	for _, rate := range []int{20_000, 10_000, 5_000, 2_000, 1_000} {
		f, err := startBoth(p, rate)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond) // the length of the trial
		c, err := f.stop()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d packets/s each way, keys as they are: %d sent, %d lost", rate, c.Sent, c.Lost)
		if c.Lost == 0 {
			return rate / 2 // the machine is not always as quiet
		}
	}
	t.Fatal("packets are lost at every pace")
	return 0
}

// keying are the drops that a re-keying could cause.
var keying = []string{"unknown_context", "unverified", "replayed", "too_old", "link_down", "key_limit", "send_failed"}

// keyingDrops adds up what both daemons count for these reasons.
func keyingDrops(t *testing.T, ctx context.Context, p *lab.Pair) map[string]uint64 {
	t.Helper()
	sum := map[string]uint64{}
	for _, n := range []*lab.Node{p.Alice, p.Bob} {
		s, err := n.Client.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, reason := range keying {
			if c := s.Drops[reason] + s.Links[0].Drops[reason]; c > 0 {
				sum[n.Host.Name+" "+reason] = c
			}
		}
	}
	return sum
}

// TestT54_RekeyingUnderLoad: ten re-keyings, from both ends in turn, while numbered packets flow
// both ways: not one of them is lost but where a buffer of the kernel was full.
func TestT54_RekeyingUnderLoad(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
	defer cancel()
	p := pair(t, ctx, build(t), func(*lab.Pair) {})
	up(t, ctx, p.Alice)
	for _, n := range []*lab.Node{p.Alice, p.Bob} {
		if err := n.Host.Queue("pc5-"+n.Peer.Host.Name, 20_000); err != nil {
			t.Fatal(err)
		}
	}
	rate := bearable(t, p)
	dropsBefore, full := keyingDrops(t, ctx, p), overflows(t, p)
	f, err := startBoth(p, rate)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	const rekeyings = 10
	for i := range rekeyings {
		n := []*lab.Node{p.Alice, p.Bob}[i%2]
		if _, err := n.Client.Rekey(ctx, n.Peer.Host.Name, 15*time.Second); err != nil {
			t.Errorf("re-keying %d, by %s: %v: %s", i, n.Host.Name, err, n.Log())
			break
		}
	}
	took := time.Since(begin)
	c, err := f.stop()
	if err != nil {
		t.Fatal(err)
	}
	full = overflows(t, p) - full
	s, err := p.Alice.Client.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d re-keyings in %v, %d packets/s each way: %d sent, %d lost, %d doubled; full buffers dropped %d", s.Links[0].Rekeyings, took.Round(time.Millisecond), rate, c.Sent, c.Lost, c.Doubled, full)
	if c.Lost > full || c.Doubled > 0 || s.Links[0].Rekeyings < rekeyings {
		t.Errorf("lost %d, of them %d in full buffers, doubled %d, %d re-keyings", c.Lost, full, c.Doubled, s.Links[0].Rekeyings)
	}
	if after := keyingDrops(t, ctx, p); fmt.Sprint(after) != fmt.Sprint(dropsBefore) {
		t.Errorf("drops by keying: %v, before the first re-keying %v", after, dropsBefore)
	}
}
