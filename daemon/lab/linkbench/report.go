package linkbench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// Ratios are the figures that decide, pc5d / wireguard-go, and pc5d / pc5d without cryptography.
type Ratios struct {
	TCP     float64  `json:"tcp_ratio"`
	CPU     float64  `json:"cpu_per_gb_ratio"` // of both daemons
	Packets float64  `json:"pps64_ratio"`
	Ping    float64  `json:"ping_ratio"` // idle, medians
	Null    *float64 `json:"null_ratio"` // nil: there is no such build
}

// ratios are rounded to three digits after the point.
func ratios(s samples) (r Ratios, err error) {
	of := func(value func(Sample) float64, theirs []Sample) (ratio float64) {
		c, e := compare(values(value, s.ours), values(value, theirs))
		if e != nil && err == nil {
			err = e
		}
		return math.Round(c.Ratio*1000) / 1000
	}
	throughput := func(s Sample) float64 { return s.Throughput }
	r = Ratios{
		TCP:     of(throughput, s.theirs),
		CPU:     of(func(s Sample) float64 { return s.Daemons }, s.theirs),
		Packets: of(func(s Sample) float64 { return s.Packets }, s.theirs),
		Ping:    of(func(s Sample) float64 { return milliseconds(s.Idle, 50) }, s.theirs),
	}
	if len(s.null) > 0 {
		null := of(throughput, s.null)
		r.Null = &null
	}
	return r, err
}

// Line is the result for machines: these five figures and nothing else.
func (r Result) Line() ([]byte, error) { return json.Marshal(r.Ratios) }

// Print writes the tables for people.
func (r Result) Print(w io.Writer) error {
	fmt.Fprintf(w, "%s\n", r.head())
	for _, c := range r.Conditions {
		fmt.Fprintf(w, "\n%s, %d rounds:\n", c.Detail, c.Rounds)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "\tpc5d\twireguard-go\t\tratio\tleast\tmost\tgoal")
		for _, row := range c.Rows {
			fmt.Fprintf(t, "%s\t%.*f\t%.*f\t%s\t%.2f\t%.2f\t%.2f\t%s\n", row.Name, row.Digits, row.Ours, row.Digits, row.Theirs, row.Unit,
				row.Ratio, row.Least, row.Most, row.Goal)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", r.nullRow())
	return err
}

// head says where and of what: without that a figure is worth nothing.
func (r Result) head() string {
	return fmt.Sprintf("%s; %s; pc5d of this tree; load average of the minute before: %s.", r.Where, r.Versions, r.Load)
}

// nullRow says what cryptography costs, or why that is not known.
func (r Result) nullRow() string {
	if r.Ratios.Null == nil {
		return "TCP / the same engine with the null suite: not measured, there is no such build (tag " + nullTag + ")"
	}
	return fmt.Sprintf("TCP / the same engine with the null suite: %.2f (goal >= 0.75, better 0.9)", *r.Ratios.Null)
}

// markdown writes the tables as they stand in the documentation.
func (r Result) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r.head())
	for _, c := range r.Conditions {
		fmt.Fprintf(&b, "\n**%s**, %d rounds:\n\n| figure | pc5d | wireguard-go | ratio | least to most | goal |\n|---|---|---|---|---|---|\n", capital(c.Detail), c.Rounds)
		for _, row := range c.Rows {
			fmt.Fprintf(&b, "| %s, %s | %.*f | %.*f | **%.2f** | %.2f to %.2f | %s |\n", row.Name, row.Unit, row.Digits, row.Ours, row.Digits, row.Theirs,
				row.Ratio, row.Least, row.Most, row.Goal)
		}
	}
	fmt.Fprintf(&b, "\n%s.\n", r.nullRow())
	return b.String()
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
