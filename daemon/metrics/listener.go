package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"pc5d/daemon/serve"
	"time"

	"golang.org/x/net/netutil"
)

const (
	maxHeader      = 8 << 10
	maxConnections = 16 // further ones wait in the queue of the kernel
	readTimeout    = 5 * time.Second
	writeTimeout   = 10 * time.Second
	idleTimeout    = time.Minute // a scraper comes back before that
)

// Listener serves /metrics, and nothing else, to anybody who reaches a TCP address.
type Listener struct {
	listener net.Listener
	http     *http.Server
}

// Listen opens an address. An address in use is an error.
func Listen(address netip.AddrPort, scrapes http.Handler, log *slog.Logger) (*Listener, error) {
	l, err := net.Listen("tcp", address.String())
	if err != nil {
		return nil, fmt.Errorf("node.metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", scrapes)
	server := &http.Server{
		Handler: http.MaxBytesHandler(mux, 0), MaxHeaderBytes: maxHeader, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return &Listener{listener: netutil.LimitListener(l, maxConnections), http: server}, nil
}

// Address is where it listens.
func (l *Listener) Address() net.Addr { return l.listener.Addr() }

// Run serves until ctx ends.
func (l *Listener) Run(ctx context.Context) error {
	if err := serve.Until(ctx, l.http, l.listener); err != nil {
		return fmt.Errorf("node.metrics: %w", err)
	}
	return nil
}

// Close ends a Listener that never ran.
func (l *Listener) Close() { l.listener.Close() }
