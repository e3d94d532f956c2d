package daemon

import (
	"errors"
	"log/slog"
	"net/netip"
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
