package linkbench

import (
	"fmt"
	"slices"
	"time"
)

// median of values: the middle one, or the mean of the two in the middle. It is 0 without any.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	middle := len(v) / 2
	if len(v)%2 == 1 {
		return v[middle]
	}
	return (v[middle-1] + v[middle]) / 2
}

// percentile is the smallest value that so many percent of all do not exceed. It is 0 without any.
func percentile(values []time.Duration, percent int) time.Duration {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	return v[(len(v)*percent+99)/100-1]
}

// Comparison is one figure of two tunnels. All are medians of the rounds, so Ratio need not be the
// quotient of the other two.
type Comparison struct {
	Ours, Theirs       float64
	Ratio, Least, Most float64
}

// compare compares round by round.
func compare(ours, theirs []float64) (Comparison, error) {
	if len(ours) == 0 || len(ours) != len(theirs) {
		return Comparison{}, fmt.Errorf("%d measurements beside %d", len(ours), len(theirs))
	}
	ratios := make([]float64, len(ours))
	for i := range ours {
		if ours[i] <= 0 || theirs[i] <= 0 {
			return Comparison{}, fmt.Errorf("round %d measured %v beside %v: nothing to compare", i+1, ours[i], theirs[i])
		}
		ratios[i] = ours[i] / theirs[i]
	}
	return Comparison{
		Ours: median(ours), Theirs: median(theirs),
		Ratio: median(ratios), Least: slices.Min(ratios), Most: slices.Max(ratios),
	}, nil
}
