package linkbench

import (
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"none", nil, 0},
		{"one", []float64{3}, 3},
		{"odd, not in order", []float64{9, 1, 5}, 5},
		{"even: between the two", []float64{4, 1, 2, 9}, 3},
	} {
		if got := median(c.values); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	values := []float64{3, 1, 2}
	if median(values); values[0] != 3 {
		t.Error("the values were put in order")
	}
}

func TestPercentile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[99-i] = time.Duration(i + 1)
	}
	for _, c := range []struct {
		name    string
		values  []time.Duration
		percent int
		want    time.Duration
	}{
		{"none", nil, 50, 0},
		{"one", []time.Duration{7}, 99, 7},
		{"p50 of 100", hundred, 50, 50},
		{"p99 of 100", hundred, 99, 99},
		{"p90 of 3", []time.Duration{3, 1, 2}, 90, 3},
		{"p50 of 4", []time.Duration{4, 3, 1, 2}, 50, 2},
	} {
		if got := percentile(c.values, c.percent); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

// TestCompare: the ratio is the median of those of the rounds, not the quotient of the medians.
func TestCompare(t *testing.T) {
	got, err := compare([]float64{1, 2, 6}, []float64{4, 1, 2})
	if want := (Comparison{Ours: 2, Theirs: 2, Ratio: 2, Least: 0.25, Most: 3}); err != nil || got != want {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
	for name, values := range map[string][2][]float64{
		"nothing":             {nil, nil},
		"a round is missing":  {{1, 2}, {1}},
		"nothing was carried": {{1, 1}, {1, 0}},
	} {
		if got, err := compare(values[0], values[1]); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}
