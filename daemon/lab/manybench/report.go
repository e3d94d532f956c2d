package manybench

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Line is the result for machines.
func (r Result) Line() ([]byte, error) { return json.Marshal(r) }

// Print writes the table for people.
func (r Result) Print(w io.Writer) error {
	fmt.Fprintf(w, "%s; %d links of two daemons, one peer\n\n", r.Where, r.Links)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "interfaces created\t%.2f s\t\n", r.Created.Seconds())
	fmt.Fprintf(t, "all established\t%.2f s\t\n", r.Established.Seconds())
	fmt.Fprintf(t, "memory of one daemon\t%.1f MB\t%.1f MB resident, %.1f MB in the kernel\n", mega(r.Resident+r.Kernel), mega(r.Resident), mega(r.Kernel))
	fmt.Fprintf(t, "idle\t%.3f %% of a core\ta keep-alive each %s\n", r.Idle, r.KeepAlive)
	fmt.Fprintf(t, "ping\t%.3f ms\tmedian over some of the links\n", float64(r.Ping)/float64(time.Millisecond))
	return t.Flush()
}

func mega(octets int64) float64 { return float64(octets) / 1e6 }
