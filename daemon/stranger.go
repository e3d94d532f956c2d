package daemon

import (
	"errors"
	"sync"
	"time"

	"pc5d/daemon/link"
)

// quiet bounds log lines that anybody on the network can cause to one a second.
type quiet struct {
	mu     sync.Mutex // guards the fields below
	last   time.Time
	missed int
}

// line tells whether a line may be written now, and how many were not since the last one.
func (q *quiet) line(now time.Time) (missed int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if passed := now.Sub(q.last); passed >= 0 && passed < time.Second && !q.last.IsZero() {
		q.missed++
		return 0, false
	}
	missed, q.last, q.missed = q.missed, now, 0
	return missed, true
}

// refusedStranger follows the end of a responder whose peer got no link. That a key was refused is an
// event, though name and key may be only what somebody claimed; the rest is a developer's business.
func (n *Node) refusedStranger(err error) {
	refused, ok := errors.AsType[*link.RefusedError](err)
	if !ok {
		if err != nil {
			n.log.Debug("establishment failed", "error", err)
		}
		return
	}
	if missed, ok := n.refusals.line(n.now()); ok {
		n.log.Warn("peer refused", "peer", refused.Peer, "key", refused.Presented.String(), "reason", refused.Reason, "missed", missed)
	}
}
