package linkbench

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// TestIperf: the throughput leaves the beginning out, the octets do not.
func TestIperf(t *testing.T) {
	got, err := parseIperf([]byte(`{"start":{},"intervals":[
		{"streams":[{"bytes":100}],"sum":{"bytes":100,"omitted":true}},
		{"streams":[{"bytes":200}],"sum":{"bytes":200,"omitted":false}}],
		"end":{"sum_sent":{"bytes":200,"bits_per_second":1600,"retransmits":3},"sum_received":{"bytes":190,"bits_per_second":1520}}}`))
	if want := (stream{Throughput: 1520, Octets: 300, Retransmits: 3}); err != nil || got != want {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
	for name, c := range map[string]struct{ said, want string }{
		"an error":          {`{"intervals":[],"end":{},"error":"unable to connect to server"}`, "unable to connect"},
		"nothing":           {``, "JSON"},
		"no JSON":           {`iperf3: parameter error`, "iperf3: parameter"},
		"nothing delivered": {`{"intervals":[],"end":{"sum_received":{"bits_per_second":0}}}`, "nothing arrived"},
	} {
		if _, err := parseIperf([]byte(c.said)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
}

// TestProcessorTimes: of a process whose name has spaces and parentheses, and of the machine.
func TestProcessorTimes(t *testing.T) {
	got, err := parseProcess([]byte("42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 7 8 20 0 9 0 1000 1 2\n"))
	if err != nil || got != 2*time.Second {
		t.Errorf("process: got %v (%v), want 2s", got, err)
	}
	got, err = parseMachine([]byte("cpu  100 10 200 9000 50 20 70 5 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"))
	if err != nil || got != 4*time.Second {
		t.Errorf("machine: got %v (%v), want 4s", got, err)
	}
	for _, b := range []string{"", ")", "42 (a) S 1", "42 (a) S 1 42 42 0 -1 4194560 100 0 0 0 x 50 7"} {
		if got, err := parseProcess([]byte(b)); err == nil {
			t.Errorf("%q is %v", b, got)
		}
	}
	for _, b := range []string{"", "cpu", "cpu0 1 1 1 1 1 1 1 1", "cpu 1 2 3 4 5 6 x 8"} {
		if got, err := parseMachine([]byte(b)); err == nil {
			t.Errorf("%q is %v", b, got)
		}
	}
}

// TestKernel: the kernel of this machine writes what is read here.
func TestKernel(t *testing.T) {
	if _, err := processorTime(os.Getpid()); err != nil {
		t.Error(err)
	}
	if d, err := busyTime(); err != nil || d <= 0 {
		t.Errorf("busy: %v, %v", d, err)
	}
	if l := load(); l == "" {
		t.Error("no load average")
	}
}

// TestSleepEnds with the context, before its time.
func TestSleepEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestNeed: what is missing is named, with what to do about it.
func TestNeed(t *testing.T) {
	if err := (need{"pc5-no-such-program": "install it"}).missing(); err == nil || !strings.Contains(err.Error(), "pc5-no-such-program") || !strings.Contains(err.Error(), "install it") {
		t.Errorf("got %v", err)
	}
	if err := (need{}).missing(); err != nil {
		t.Error(err)
	}
}
