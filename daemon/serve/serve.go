// Package serve lets an HTTP server run for as long as a context lives. The control socket and the listener of the
// metrics end by it in the same way.
package serve

import (
	"context"
	"net"
	"net/http"
	"time"
)

// grace is how long requests under way may last when the context ends: a daemon promises to end soon.
const grace = 200 * time.Millisecond

// Until serves until ctx ends, which is no error, or the listener fails. The listener is closed afterwards, and no
// goroutine of Until is left.
func Until(ctx context.Context, s *http.Server, l net.Listener) error {
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if s.Shutdown(limit) != nil {
		s.Close()
	}
	<-ended
	return nil
}
