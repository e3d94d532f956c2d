package authbench

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"
)

// fewestRounds are measured however short the time.
const fewestRounds = 9

// round is about how long one side of a pair is measured, where there is time for it: so long that
// the collector of garbage runs in each, and short against the drift of the machine (chosen).
const round = 40 * time.Millisecond

// Comparison is full authentication beside bare handshakes. Costs are processor time of both ends.
type Comparison struct {
	Group      tls.CurveID
	Pairs      int
	Full, Bare time.Duration // median of the rounds, of one
	Ratio      float64       // of the rates full / bare: median of the pairs
}

// compare measures both in turn, for about so much processor time.
func compare(ctx context.Context, total time.Duration, groups []tls.CurveID) (Comparison, error) {
	f, err := newFull(groups)
	if err != nil {
		return Comparison{}, err
	}
	defer f.close()
	b, err := newBare(f.a, f.b, groups)
	if err != nil {
		return Comparison{}, err
	}
	pairs := max(fewestRounds, int(total/(2*round)))
	n, err := perRound(total/time.Duration(2*pairs), f)
	if err != nil {
		return Comparison{}, err
	}
	if err := repeat(n, b.handshake)(); err != nil { // the other one has been warmed up
		return Comparison{}, err
	}
	var fulls, bares []time.Duration
	var ratios []float64
	for range pairs {
		if err := ctx.Err(); err != nil {
			return Comparison{}, err
		}
		ours, err := costOfOne(n, f.establish)
		if err != nil {
			return Comparison{}, err
		}
		theirs, err := costOfOne(n, b.handshake)
		if err != nil {
			return Comparison{}, err
		}
		fulls, bares, ratios = append(fulls, ours), append(bares, theirs), append(ratios, float64(theirs)/float64(ours))
	}
	return Comparison{Group: b.group, Pairs: pairs, Full: median(fulls), Bare: median(bares), Ratio: median(ratios)}, nil
}

// perRound is how many fit into a round, after a few that warm up.
func perRound(limit time.Duration, f *full) (int, error) {
	const few = 4
	if err := repeat(few, f.establish)(); err != nil {
		return 0, err
	}
	took, err := cost(repeat(few, f.establish))
	if took <= 0 { // the kernel's clock is coarser than that
		return 1, err
	}
	return max(1, int(limit*few/took)), err
}

// costOfOne is the mean of n. The collector is left alone: each side has it run by its own garbage.
func costOfOne(n int, one func() error) (time.Duration, error) {
	took, err := cost(repeat(n, one))
	if took <= 0 && err == nil {
		err = fmt.Errorf("%d handshakes took no processor time that the kernel can tell: measure for longer", n)
	}
	return took / time.Duration(n), err
}
