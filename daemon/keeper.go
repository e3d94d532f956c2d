package daemon

import (
	"cmp"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/daemon/task"
	"pc5d/dataplane"
	"pc5d/policy/provision"
)

const (
	timelineSize = 64 // messages shown for a link
	retryFirst   = time.Second
	retryMax     = time.Minute
)

// keeper keeps one provisioned link: it alone decides whether an attempt is made, which
// machine's keys are the link's, and what its status says. The fields below view are touched by
// the tasks of its queue only; others post to it and read the view.
type keeper struct {
	node   *Node
	link   link.Link // without the pin of a first use, see provisioned
	config provision.Link
	pinned atomic.Pointer[firstPin] // at its first use; nil: not yet. Changed under links.change
	plane  *dataplane.Link
	log    *slog.Logger
	queue  task.Queue
	view   view
	lead   lead // of the sessions

	halted   bool           // the daemon stops, or the link goes: no more attempts
	settled  []func()       // to be done once nothing is under way any more
	wanted   bool           // by the operator, or because the link was up
	queued   bool           // waits for other attempts to the same address
	endpoint netip.AddrPort // where to reach the peer: provisioned, else the last authenticated
	current  *runner        // established
	since    uint64         // when current took the link over
	attempts []*runner      // under way: at most one as UE_A, and authenticated ones as UE_B
	retryAt  time.Time
	backoff  time.Duration
	renewal  reauthentication // of current
	waiters  []waiter
	status   control.LinkStatus
}

// waiter waits for the end of a procedure of the current machine.
type waiter struct {
	procedures []link.Procedure
	done       chan<- error // capacity 1
}

var errNoEndpoint = errors.New("no endpoint is known for this link: add endpoint = \"ADDRESS:PORT\" to its provisioning, or let the peer start it")

// post appends a task; after each one the keeper looks whether an attempt is due.
func (k *keeper) post(change func(*keeper)) {
	k.queue.Post(func() {
		change(k)
		k.pursue()
	})
}

func (k *keeper) wake() {
	if due(k.retryAt, k.node.now()) {
		k.retryAt = time.Time{}
	}
	k.pursue()
}

// pursue starts an attempt where the link is wanted and nothing is under way, or where its peer has
// to be authenticated again, or waits for the time of the next one.
func (k *keeper) pursue() {
	if k.idle() {
		done := k.settled
		k.settled = nil
		for _, f := range done {
			f()
		}
	}
	if k.wanted && !k.halted && k.idle() && k.retryAt.IsZero() {
		k.start()
	}
	k.renew(k.node.now())
	k.queue.WakeAt(k.next())
}

// next is when there is something to do; zero: nothing.
func (k *keeper) next() time.Time {
	if k.halted {
		return time.Time{}
	}
	if k.current == nil {
		return k.retryAt
	}
	return sooner(k.retryAt, sooner(k.renewal.due, k.renewal.end))
}

// halt comes before the releases of a daemon that stops.
func (k *keeper) halt() { k.halted = true }

func (k *keeper) idle() bool { return k.current == nil && len(k.attempts) == 0 }

// start makes an attempt as UE_A.
func (k *keeper) start() {
	if !k.endpoint.IsValid() {
		k.wanted = false
		return
	}
	if k.queued || k.lead.held() { // the news of a session that has the link is on its way
		return
	}
	switch err := k.attempt(k.provisioned()); {
	case err != nil:
		k.failed(err)
	case k.queued:
		k.setState("waiting")
	default:
		k.setState("establishing")
	}
}

// attempt starts one as UE_A, or queues where as many are under way to the address as it takes.
func (k *keeper) attempt(l link.Link) error {
	to := k.endpoint.Addr()
	if !k.node.outbound.begin(to, k) {
		k.queued = true
		return nil
	}
	r, err := k.node.initiate(k, l)
	if err != nil {
		k.node.outbound.end(to)
		return err
	}
	k.attempts = append(k.attempts, r)
	return nil
}

// down is the operator's word, and so is up.
func (k *keeper) down() error {
	k.wanted, k.retryAt, k.renewal = false, time.Time{}, reauthentication{}
	err := k.node.state.forget(k.link.Name)
	if k.current != nil {
		k.current.release(pc5s.CauseNoLongerNeeded)
	}
	for _, r := range k.attempts {
		r.dismissed = true // it may be established before it hears of it
		r.release(pc5s.CauseNoLongerNeeded)
	}
	if k.idle() {
		k.setState("down")
	}
	return err
}

func (k *keeper) up() error {
	if !k.endpoint.IsValid() && k.current == nil {
		return errNoEndpoint
	}
	k.wanted, k.retryAt, k.backoff = true, time.Time{}, 0
	k.status.LastError, k.status.Hint = "", ""
	if k.current == nil {
		k.setState("establishing")
	}
	return nil
}

// run asks the current machine for a procedure; its end is told to w.
func (k *keeper) run(w waiter, ask func(*link.Machine, time.Time) error) {
	r := k.current
	if r == nil {
		w.done <- control.ErrNotEstablished
		return
	}
	k.waiters = append(k.waiters, w)
	r.step(func() {
		// A machine that has ended meanwhile tells its keeper, and the keeper the waiters.
		_ = ask(r.machine, k.node.now())
	})
}

func (k *keeper) authenticated(r *runner, e link.Authenticated) {
	k.log.Info("peer authenticated", "peer", e.Peer.Name, "key", e.Peer.Fingerprint.String())
	k.status.CertificateEnd = e.CertificateEnd
	if slices.Contains(k.attempts, r) {
		return
	}
	if !k.provisioned().Admits(e.Peer) { // its pin was forgotten since it was found
		r.dismissed = true // it may be established before it hears of it
		r.release(pc5s.CauseNoLongerNeeded)
		return
	}
	// A peer that only ever authenticates is half-open no more, and bounded here.
	if i := slices.IndexFunc(k.attempts, func(o *runner) bool { return o.role == link.RoleB }); i >= 0 && len(k.attempts) >= k.node.limits.Sessions {
		k.attempts[i].abandon() // the peer's oldest
		k.attempts = slices.Delete(k.attempts, i, i+1)
	}
	k.attempts = append(k.attempts, r)
}

func (k *keeper) hinted(err error) {
	k.status.Hint = err.Error()
	k.publish()
}

// agreed follows new keys: of a new session, or of a re-keying of the link's.
func (k *keeper) agreed(r *runner, lead uint64, e link.Agreed) {
	if !e.Rekeying {
		k.installed(r, lead, e)
		return
	}
	if k.current == r {
		k.status.Rekeyings++
		k.protected(e.Agreement)
		k.log.Info("link re-keyed", "user_plane", userPlaneWord(e.Agreement))
		k.publish()
	}
}

// concluded tells whoever waits for a procedure how it ended.
func (k *keeper) concluded(r *runner, e link.Concluded) {
	if k.current != r {
		return
	}
	if e.Err != nil {
		k.log.Warn("procedure failed", "procedure", e.Procedure.String(), "error", e.Err)
	}
	k.waiters = slices.DeleteFunc(k.waiters, func(w waiter) bool {
		if !slices.Contains(w.procedures, e.Procedure) {
			return false
		}
		w.done <- e.Err
		return true
	})
}

// installed makes a session the link's: make before break. Of two crossed attempts the other
// one ends without a message unless its Nonce_1 is the larger. A session that another one has
// replaced in the engine meanwhile is too late.
func (k *keeper) installed(r *runner, lead uint64, e link.Agreed) {
	if r.dismissed {
		return // its release is on its way
	}
	k.attempts = slices.DeleteFunc(k.attempts, func(o *runner) bool { return o == r })
	if k.current != nil {
		if lead < k.since {
			r.abandon()
			return
		}
		k.current.abandon()
		k.dismiss(errReplaced)
	}
	k.current, k.since = r, lead
	k.renewal = reauthenticationAfter(e.Authenticated, r.role, k.node.cfg.Timers)
	for _, o := range k.attempts {
		if yields(o, r.nonce, lead) {
			o.abandon()
		}
	}
	k.endpoint, k.wanted, k.backoff, k.retryAt = e.Endpoint, true, 0, time.Time{}
	if err := k.node.state.remember(k.link.Name, e.Endpoint); err != nil {
		k.log.Warn("the link will not come back by itself after a restart", "error", err)
	}
	k.node.joined(k.link.Name)
	k.established(r.role, e)
}

// changed follows a machine to its end.
func (k *keeper) changed(r *runner, to link.State, err error) {
	if to != link.Released {
		return
	}
	if k.current == r {
		k.current = nil
		k.released(err)
		return
	}
	if !slices.Contains(k.attempts, r) {
		k.unmet(err)
		return
	}
	k.attempts = slices.DeleteFunc(k.attempts, func(o *runner) bool { return o == r })
	if k.current == nil && err != nil && !errors.Is(err, errReplaced) && !errors.Is(err, errEvicted) && !errors.Is(err, link.ErrCancelled) {
		k.failed(err)
		return
	}
	if k.idle() && !k.wanted {
		k.setState("down")
	}
}

// unmet follows the end of a session whose peer has not proved itself, or which is no attempt any more.
// It changes nothing; why this end refused somebody is worth knowing.
func (k *keeper) unmet(err error) {
	var rejected *link.RejectedError
	if errors.As(err, &rejected) && k.current == nil {
		k.hinted(err)
	}
}

// dismiss tells all who wait for a procedure that it has no end.
func (k *keeper) dismiss(err error) {
	for _, w := range k.waiters {
		w.done <- err
	}
	k.waiters = nil
}

// released follows the end of an established link.
func (k *keeper) released(err error) {
	k.dismiss(cmp.Or(err, link.ErrProcedure))
	var byPeer *link.ReleasedByPeerError
	if errors.As(err, &byPeer) && !passing(byPeer.Cause) {
		k.wanted = false
		if err := k.node.state.forget(k.link.Name); err != nil {
			k.log.Warn("the link will come back after a restart", "error", err)
		}
	}
	if err != nil {
		k.status.LastError = err.Error()
	}
	k.log.Info("link released", "error", err)
	var unanswered *link.UnansweredError
	switch {
	case !k.wanted || k.halted:
		k.setState("down")
	case errors.As(err, &unanswered): // long enough to wait: the peer has restarted, or is gone
		k.setState("waiting")
	default:
		k.retry()
	}
}

// passing tells causes that end by themselves: the link is wanted all the same.
func passing(c pc5s.Cause) bool {
	return c != pc5s.CauseNotAllowed && c != pc5s.CauseNoLongerNeeded
}

// failed plans the next attempt, unless only a change of the provisioning can help.
func (k *keeper) failed(err error) {
	k.status.LastError = err.Error()
	k.status.Establishments.Failed++
	k.log.Warn("establishment failed", "error", err)
	if !k.wanted {
		k.setState("down")
		return
	}
	k.retry()
	if refusal(err) {
		// Anyone on the path can show a wrong key: it is tried again, but seldom (T12).
		k.retryAt = k.node.now().Add(retryMax)
		k.setState("failed")
	}
}

// retry plans the next attempt.
func (k *keeper) retry() {
	k.backoff = min(max(2*k.backoff, retryFirst), retryMax)
	k.retryAt = k.node.now().Add(k.backoff)
	k.setState("waiting")
}

// refusal tells failures that only a change of somebody's provisioning mends: this end refused
// the peer. A kept key that had ended at the peer is none: the next attempt authenticates in full.
func refusal(err error) bool {
	var refused *link.RefusedError
	var rejected *link.RejectedError
	ended := errors.As(err, &rejected) && !rejected.Local && rejected.Cause == pc5s.CauseAuthenticationFailure
	return errors.As(err, &refused) || rejected != nil && !ended
}
