//go:build net

package linkbench

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestSingle: one link over a path that loses and reorders is measured, told in both ways, and gone.
func TestSingle(t *testing.T) {
	if err := missing(nil); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var p programs
	if err := p.build(ctx, t.TempDir(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	r, err := Single(ctx, SingleConfig{Program: p.pc5d, Loss: 1, Reorder: 1, Progress: func(what string) { t.Log(what) }})
	if err != nil {
		t.Fatal(err)
	}
	if r.Throughput <= 0 || r.Idle.Sent != singleEchoes || r.Loaded.Sent == 0 || r.Idle.P50 <= 0 || r.Loaded.P50 <= 0 {
		t.Errorf("%+v", r)
	}
	var out bytes.Buffer
	if err := r.Print(&out); err != nil || !strings.Contains(out.String(), "loses 1 % and reorders 1 %") {
		t.Errorf("%v: %s", err, out.String())
	}
	line, err := r.Line()
	var again SingleResult
	if err != nil || json.Unmarshal(line, &again) != nil || again != r {
		t.Errorf("%v: %s", err, line)
	}
	if _, err := Single(ctx, SingleConfig{Program: p.pc5d, Loss: 101}); err == nil {
		t.Error("101 % are accepted")
	}
}
