package metrics_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"pc5d/daemon/metrics"
)

var nowhere = slog.New(slog.DiscardHandler)

// listen runs a Listener until the test ends.
func listen(t *testing.T) string {
	t.Helper()
	l, err := metrics.Listen(netip.MustParseAddrPort("127.0.0.1:0"), metrics.NewHandler(few(), metrics.Build{}), nowhere)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if c, err := net.Dial("tcp", l.Address().String()); err == nil {
			c.Close()
			t.Error("somebody still listens")
		}
	})
	return l.Address().String()
}

// TestListener: the page, and nothing else.
func TestListener(t *testing.T) {
	at := listen(t)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/metrics", 200}, {"HEAD", "/metrics", 200}, {"POST", "/metrics", 405},
		{"GET", "/", 404}, {"GET", "/metrics/x", 404}, {"GET", "/v1/status", 404}, {"POST", "/v1/links/bob/down", 404}, {"GET", "/debug/pprof/", 404},
		{"GET", "/metrics?" + strings.Repeat("x", 64<<10), 431},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+at+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		w, err := client.Do(r)
		if err != nil {
			t.Errorf("%s %.20s: %v", c.method, c.path, err)
			continue
		}
		text, err := io.ReadAll(w.Body)
		w.Body.Close()
		if w.StatusCode != c.want || c.want == 200 && err != nil {
			t.Errorf("%s %.20s: %s, %v", c.method, c.path, w.Status, err)
		}
		if page := strings.Contains(string(text), "pc5_link_established"); page != (c.method == "GET" && c.want == 200) {
			t.Errorf("%s %.20s: the page is there: %v", c.method, c.path, page)
		}
	}
}

// TestListener_Slow: who never ends its request is cut off.
func TestListener_Slow(t *testing.T) {
	if testing.Short() {
		t.Skip("takes five seconds")
	}
	t.Parallel()
	c, err := net.Dial("tcp", listen(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: a\r\nX: "); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); errors.Is(err, context.DeadlineExceeded) || err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("still connected: %v", err)
	}
}

// TestListener_InUse: an address in use is one clear error.
func TestListener_InUse(t *testing.T) {
	at := listen(t)
	_, err := metrics.Listen(netip.MustParseAddrPort(at), http.NotFoundHandler(), nowhere)
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.HasPrefix(err.Error(), "node.metrics: ") || !strings.Contains(err.Error(), at) {
		t.Errorf("got %v", err)
	}
}
