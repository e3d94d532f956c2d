package suitebench

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// Line is the result for machines.
func (r Result) Line() ([]byte, error) { return json.Marshal(r) }

// Print writes the table for people.
func (r Result) Print(w io.Writer) error {
	fmt.Fprintf(w, "%s\n\n", r.Where)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "suite\tmode\toctets\tseal ns\tGB/s\topen ns\tGB/s\t")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%s\t%d\t%.0f\t%.2f\t%.0f\t%.2f\t\n", row.Suite, row.Mode, row.Octets, row.Seal.Nanoseconds, row.Seal.Rate, row.Open.Nanoseconds, row.Open.Rate)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nfor one record, in batches of %d, on one core; medians of %d; GB are 10^9 octets of text\n", batchRecords, rounds)
	return err
}
