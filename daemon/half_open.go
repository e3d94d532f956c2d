package daemon

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"pc5d/daemon/auth/cookie"
	"pc5d/dataplane/underlay"
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
	limits Limits

	mu      sync.Mutex                      // guards the fields below
	open    map[conversation]*runner        // nil: its machine is being made
	sources map[netip.Prefix][]conversation // open ones per source (/32, /64), oldest first
	spent   map[conversation]bool
	order   []spending // of spent, oldest first
}

type spending struct {
	conversation conversation
	until        time.Time
}

func newHalfOpen(l Limits) *halfOpen {
	return &halfOpen{limits: l, open: map[conversation]*runner{}, sources: map[netip.Prefix][]conversation{}, spent: map[conversation]bool{}}
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

// count is how many are under way.
func (h *halfOpen) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.open)
}

// loaded tells whether half of the places are taken, of all or of an address's source.
func (h *halfOpen) loaded(from netip.Addr) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return 2*len(h.open) >= h.limits.HalfOpen || 2*len(h.sources[sourcePrefix(from)]) >= h.limits.HalfOpenPerSource
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

// begin enters a conversation under the limits. Where they are reached the oldest one of the same
// source makes room, never another source's (T32): its runner is returned, to be ended.
func (h *halfOpen) begin(now time.Time, c conversation) (evicted *runner, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	source := sourcePrefix(c.from.Addr())
	own := h.sources[source]
	if len(h.open) >= h.limits.HalfOpen || len(own) >= h.limits.HalfOpenPerSource {
		if len(own) == 0 || h.open[own[0]] == nil {
			return nil, errHalfOpen
		}
		evicted = h.open[own[0]]
		h.endLocked(now, own[0])
	}
	h.open[c] = nil
	h.sources[source] = append(h.sources[source], c)
	return evicted, nil
}

// end takes a conversation out: its peer is authenticated, or it failed. A second call is
// harmless.
func (h *halfOpen) end(now time.Time, c conversation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, open := h.open[c]; open {
		h.endLocked(now, c)
	}
}

func (h *halfOpen) endLocked(now time.Time, c conversation) {
	delete(h.open, c)
	source := sourcePrefix(c.from.Addr())
	if rest := slices.DeleteFunc(h.sources[source], func(o conversation) bool { return o == c }); len(rest) > 0 {
		h.sources[source] = rest
	} else {
		delete(h.sources, source)
	}
	if len(h.order) == h.limits.Spent {
		h.dropOldestLocked()
	}
	h.spent[c] = true
	h.order = append(h.order, spending{c, now.Add(cookie.Life)})
}
