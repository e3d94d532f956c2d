package linkbench

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sample is a tunnel that is so many times as fast as another one, in everything.
func sample(times float64) Sample {
	echo := []time.Duration{time.Duration(float64(time.Millisecond) / times)}
	return Sample{
		Throughput: times * 1e9, Daemons: 1 / times, Busy: 2 / times, Resident: 1e7, Loaded: echo, Idle: echo,
		Packets: times * 1e4, Sending: 1e-6 / times, Receiving: 1e-6 / times,
	}
}

func result(t *testing.T, s samples) Result {
	t.Helper()
	r := Result{Where: "a day, a processor", Versions: "versions", Load: "0.10"}
	var err error
	if r.Ratios, err = ratios(s); err != nil {
		t.Fatal(err)
	}
	c := Condition{Name: "loss < 1 %", Detail: "offloads of the wire on", Rounds: len(s.ours)}
	if c.Rows, err = rows(allFigures(), s.ours, s.theirs); err != nil {
		t.Fatal(err)
	}
	r.Conditions = []Condition{c, c}
	return r
}

// TestLine: the line for machines has these five keys, and what was not measured is null.
func TestLine(t *testing.T) {
	s := samples{ours: []Sample{sample(4), sample(2), sample(2)}, theirs: []Sample{sample(1), sample(1), sample(1)}}
	line, err := result(t, s).Line()
	if want := `{"tcp_ratio":2,"cpu_per_gb_ratio":0.5,"pps64_ratio":2,"ping_ratio":0.5,"null_ratio":null}`; err != nil || string(line) != want {
		t.Errorf("got %s (%v), want %s", line, err, want)
	}
	s.null = []Sample{sample(3), sample(3), sample(3)}
	line, err = result(t, s).Line()
	if want := `{"tcp_ratio":2,"cpu_per_gb_ratio":0.5,"pps64_ratio":2,"ping_ratio":0.5,"null_ratio":0.667}`; err != nil || string(line) != want {
		t.Errorf("got %s (%v), want %s", line, err, want)
	}
}

// TestNoRatioOfNothing: a tunnel that carried nothing is no figure of a line.
func TestNoRatioOfNothing(t *testing.T) {
	s := samples{ours: []Sample{sample(1)}, theirs: []Sample{{}}}
	if r, err := ratios(s); err == nil {
		t.Errorf("got %+v, want an error", r)
	}
	if r, err := rows(allFigures(), s.ours, s.theirs); err == nil || !strings.Contains(err.Error(), "TCP, one stream") {
		t.Errorf("got %+v (%v), want an error that names the figure", r, err)
	}
}

func TestPrint(t *testing.T) {
	r := result(t, samples{ours: []Sample{sample(3)}, theirs: []Sample{sample(1)}})
	var b bytes.Buffer
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a day, a processor", "versions", "load average of the minute before: 0.10", "3.00", "not measured"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// TestDocument: the tables are replaced, what people wrote stays.
func TestDocument(t *testing.T) {
	page, chart := filepath.Join(t.TempDir(), "page.md"), filepath.Join(t.TempDir(), "page.svg")
	text := "# Title\n\n" + tablesBegin + "old\n" + tablesEnd + "\n## Authentication\n"
	if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := result(t, samples{ours: []Sample{sample(3)}, theirs: []Sample{sample(1)}})
	var first string
	for range 2 {
		if err := r.Document(page, chart); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(b)
		}
		if string(b) != first {
			t.Errorf("the second time it is another page:\n%s", b)
		}
	}
	if !strings.HasPrefix(first, "# Title\n") || !strings.HasSuffix(first, "\n## Authentication\n") || strings.Contains(first, "old") {
		t.Errorf("got\n%s", first)
	}
	if !strings.Contains(first, "(page.svg)") || !strings.Contains(first, "| TCP, one stream, Gbit/s | 3.00 | 1.00 | **3.00** | 3.00 to 3.00 |") {
		t.Errorf("no chart or no row in\n%s", first)
	}
	b, err := os.ReadFile(chart)
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, b)
	if !strings.Contains(string(b), "loss &lt; 1 %") || strings.Contains(string(b), "NaN") {
		t.Errorf("got\n%s", b)
	}
}

func wellFormed(t *testing.T, b []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(b)); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("the chart is no XML: %v", err)
		}
	}
}

// TestPageWithoutMarkers: it stays as it is.
func TestPageWithoutMarkers(t *testing.T) {
	for _, page := range []string{"", "text", tablesBegin, tablesEnd, tablesEnd + tablesBegin} {
		if got, err := insert(page, "new"); err == nil {
			t.Errorf("%q became %q", page, got)
		}
	}
}

// TestThePage: the page of this module has the markers.
func TestThePage(t *testing.T) {
	b, err := os.ReadFile("../../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := insert(string(b), "new"); err != nil {
		t.Error(err)
	}
}
