package authbench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"
)

// Line is the result for machines: these two figures and nothing else.
func (r Result) Line() ([]byte, error) {
	return json.Marshal(struct {
		FullRatio       float64 `json:"full_ratio"`
		ResumePerSecond int     `json:"resume_per_second"`
	}{math.Round(r.Hybrid.Ratio*1000) / 1000, int(r.Resumption.PerSecond)})
}

// Print writes the table for people.
func (r Result) Print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%s\n\n", r.Where); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tgroup\tCPU us each\tper core second\tfull / bare")
	for _, c := range []Comparison{r.Hybrid, r.Classic} {
		fmt.Fprintf(t, "full authentication, both ends\t%s\t%s\t%.0f\t%.2f\n", c.Group, microseconds(c.Full), rate(c.Full), c.Ratio)
		fmt.Fprintf(t, "bare crypto/tls, both ends\t%s\t%s\t%.0f\t\n", c.Group, microseconds(c.Bare), rate(c.Bare))
	}
	fmt.Fprintf(t, "from a kept key, responder alone\tX25519\t%s\t%.0f\t\n", microseconds(r.Resumption.Responder), r.Resumption.PerSecond)
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, `
one half-open responder: %.1f KiB (%.1f heap, %.1f stack), mean of %d
pairs of rounds: %d and %d; rounds of re-establishment: %d, of %d peers; medians; user and system time of the process on one P
`,
		kib(r.HalfOpen.Total()), kib(r.HalfOpen.Heap), kib(r.HalfOpen.Stack), r.HalfOpen.Responders,
		r.Hybrid.Pairs, r.Classic.Pairs, r.Resumption.Rounds, r.Resumption.Peers)
	return err
}

func microseconds(d time.Duration) string {
	return fmt.Sprintf("%.0f", float64(d)/float64(time.Microsecond))
}

func rate(d time.Duration) float64 { return float64(time.Second) / float64(d) }

func kib(octets int64) float64 { return float64(octets) / 1024 }
