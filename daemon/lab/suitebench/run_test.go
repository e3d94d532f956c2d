package suitebench

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestRun: each suite in each mode and size is measured and opens what it sealed; table and line have
// all of them.
func TestRun(t *testing.T) {
	r, err := Run(t.Context(), Config{Time: 50 * time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 3*4*3 {
		t.Errorf("%d rows", len(r.Rows))
	}
	for _, row := range r.Rows {
		if row.Seal.Nanoseconds <= 0 || row.Open.Nanoseconds <= 0 || row.Seal.Rate <= 0 || row.Open.Rate <= 0 {
			t.Errorf("%+v", row)
		}
	}
	var out bytes.Buffer
	if err := r.Print(&out); err != nil || strings.Count(out.String(), "chacha20-poly1305") != 12 {
		t.Errorf("%v:\n%s", err, out.String())
	}
	line, err := r.Line()
	var again Result
	if err != nil || json.Unmarshal(line, &again) != nil || len(again.Rows) != len(r.Rows) || again.Rows[0] != r.Rows[0] {
		t.Errorf("%v: %s", err, line)
	}
	if _, err := Run(t.Context(), Config{}); err == nil {
		t.Error("no time is enough")
	}
}
