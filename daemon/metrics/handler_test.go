package metrics_test

import (
	"errors"
	"flag"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"pc5d/daemon/metrics"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// own keeps the lines of pc5_* metrics; the others change from run to run.
func own(page string) string {
	var b strings.Builder
	for line := range strings.Lines(page) {
		if strings.Contains(line, "pc5_") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestT56_Page: the page of a node with a link of each kind, the marks of T56 among it.
func TestT56_Page(t *testing.T) {
	const golden = "testdata/page.golden"
	w := scrape(t, metrics.NewHandler(few(), metrics.Build{Version: `v1 "x"`}))
	if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK || !strings.HasPrefix(kind, "text/plain; version=0.0.4") {
		t.Errorf("status %d, type %q", w.Code, kind)
	}
	page := own(w.Body.String())
	if *update {
		if err := os.WriteFile(golden, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), page); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
	if strings.Contains(page, "evil") {
		t.Error("what a peer says stands on the page")
	}
	for _, name := range []string{"\ngo_goroutines ", "\nprocess_resident_memory_bytes "} {
		if !strings.Contains(w.Body.String(), name) {
			t.Errorf("no%s", name)
		}
	}
}

// TestT56_NullBuild: a build without cryptography says so.
func TestT56_NullBuild(t *testing.T) {
	page := scrape(t, metrics.NewHandler(few(), metrics.Build{Version: "v1", Null: true})).Body.String()
	if !strings.Contains(page, `pc5_build_info{version="v1",null="true"} 1`) {
		t.Error("it is not marked")
	}
}

// TestNames: the names follow the conventions of Prometheus, but that a tag is measured in bits.
func TestNames(t *testing.T) {
	page := scrape(t, metrics.NewHandler(few(), metrics.Build{})).Body.String()
	problems, err := promlint.New(strings.NewReader(page)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "pc5_") && p.Metric != "pc5_link_integrity_bits" {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// TestNoStatus: a node that cannot tell its status is an error, and no page that lacks something.
func TestNoStatus(t *testing.T) {
	w := scrape(t, metrics.NewHandler(node{err: errors.New("too late")}, metrics.Build{}))
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "too late") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// TestManyLinks: a page of 1,000 links costs milliseconds, and nothing of it stays. The bound leaves room
// for a machine that does other things; the log has the number.
func TestManyLinks(t *testing.T) {
	h := metrics.NewHandler(many(1000), metrics.Build{})
	held := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	scrape(t, h)
	before, goroutines := held(), runtime.NumGoroutine()
	least, octets := time.Hour, 0
	for range 20 {
		begin := time.Now()
		octets = scrape(t, h).Body.Len()
		least = min(least, time.Since(begin))
	}
	t.Logf("%d octets in %v", octets, least)
	if after := held(); after > before+1<<20 {
		t.Errorf("%d octets held, then %d", before, after)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, then %d", goroutines, n)
	}
	if least > 150*time.Millisecond {
		t.Errorf("a page takes %v", least)
	}
}

// BenchmarkPage is the cost of a scrape.
func BenchmarkPage(b *testing.B) {
	h := metrics.NewHandler(many(1000), metrics.Build{})
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(scrape(b, h).Body.Len()))
	}
}
