package daemon

import (
	"bytes"
	"sync"

	"pc5d/daemon/keys"
	"pc5d/dataplane"
)

// lead says which session of a link the engine sends with. Sessions take it on their own queues,
// one after the other, so that crossed attempts that are established at the same instant are
// settled once: the engine and the keeper follow the same order, and so does the peer's node.
type lead struct {
	mu    sync.Mutex // guards the fields below, and is held while the engine gets the keys
	since uint64     // when it was taken, by Node.serial; 0: never
	nonce keys.Nonce // Nonce_1 of who took it
	taken bool       // its session has not ended
}

// take gives a session's first keys to the engine: it receives with them. The session has the link now,
// and says so to its peer next. Of two crossed attempts the one with the smaller Nonce_1 does not replace
// the other (T13).
func (l *lead) take(r *runner, c dataplane.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if yields(r, l.nonce, l.since) {
		return errReplaced
	}
	l.since, l.nonce = r.node.serial.Add(1), r.nonce
	r.lead, l.taken = l.since, true
	return r.keeper.plane.Install(c)
}

// follow lets the engine send with the keys that a session took the link over with, unless another one
// has the link by now.
func (l *lead) follow(r *runner, id dataplane.ContextID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.since != r.lead {
		return errReplaced
	}
	return r.keeper.plane.Activate(id)
}

// leave says that a session ends.
func (l *lead) leave(r *runner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.since == r.lead {
		l.taken = false
	}
}

// held tells whether a session has the link, also one that the keeper has not heard of yet.
func (l *lead) held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken
}

// passed tells whether an attempt has lost already. It must not go on until its keeper says so: the
// peer, who may take it for a newer one, would be left with it alone.
func (l *lead) passed(r *runner) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return yields(r, l.nonce, l.since)
}

// yields tells whether a runner's attempt crossed the one that took the lead at a time, and has
// the smaller Nonce_1.
func yields(r *runner, nonce keys.Nonce, since uint64) bool {
	return r.born < since && bytes.Compare(r.nonce[:], nonce[:]) < 0
}
