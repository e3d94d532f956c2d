package daemon

import (
	"errors"
	"net/netip"
	"sync"
	"time"

	"pc5d/dataplane/underlay"
)

const (
	maxHalfOpen          = 512 // responders whose peer is not authenticated yet
	maxHalfOpenPerSource = 8
	// cookieLife is how long a cookie, and so a recorded first response, is good for.
	cookieLife = 10 * time.Second
	// maxSpent bounds what is remembered of conversations that ended; the oldest go first.
	maxSpent = 4096
)

var errHalfOpen = errors.New("too many unfinished establishments")

// conversation names a half-open responder before its peer knows its L2 ID.
type conversation struct {
	from netip.AddrPort
	peer underlay.LayerTwoID
	tag  [8]byte
}

// halfOpen counts the responders whose peer is not authenticated yet, and remembers for a
// cookie's life which conversations there were: a replayed response starts nothing (T05).
type halfOpen struct {
	mu      sync.Mutex               // guards the fields below
	open    map[conversation]*runner // nil: its machine is being made
	sources map[netip.Prefix]int     // open ones per source (/32, /64)
	spent   map[conversation]bool
	order   []spending // of spent, oldest first
}

type spending struct {
	conversation conversation
	until        time.Time
}

func newHalfOpen() *halfOpen {
	return &halfOpen{open: map[conversation]*runner{}, sources: map[netip.Prefix]int{}, spent: map[conversation]bool{}}
}

// known tells whether a conversation is under way or was a moment ago.
func (h *halfOpen) known(now time.Time, c conversation) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.order) > 0 && !now.Before(h.order[0].until) {
		h.dropOldestLocked()
	}
	_, open := h.open[c]
	return open || h.spent[c]
}

// runner is the runner of a conversation under way; nil: there is none yet, or any more.
func (h *halfOpen) runner(c conversation) *runner {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open[c]
}

// attach enters the runner of a conversation that was begun.
func (h *halfOpen) attach(c conversation, r *runner) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, open := h.open[c]; open {
		h.open[c] = r
	}
}

func (h *halfOpen) dropOldestLocked() {
	delete(h.spent, h.order[0].conversation)
	h.order = h.order[1:]
}

// begin enters a conversation under the limits.
func (h *halfOpen) begin(c conversation) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	source := sourcePrefix(c.from.Addr())
	if len(h.open) >= maxHalfOpen || h.sources[source] >= maxHalfOpenPerSource {
		return errHalfOpen
	}
	h.open[c] = nil
	h.sources[source]++
	return nil
}

// end takes a conversation out: its peer is authenticated, or it failed. A second call is
// harmless.
func (h *halfOpen) end(now time.Time, c conversation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, open := h.open[c]; !open {
		return
	}
	delete(h.open, c)
	source := sourcePrefix(c.from.Addr())
	if h.sources[source]--; h.sources[source] == 0 {
		delete(h.sources, source)
	}
	if len(h.order) == maxSpent {
		h.dropOldestLocked()
	}
	h.spent[c] = true
	h.order = append(h.order, spending{c, now.Add(cookieLife)})
}
