package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane"
	"pc5d/policy/provision"
)

const (
	noticeQueue  = 64 // notices wait for the keeper, which never waits for a runner
	timelineSize = 64 // messages shown for a link
	retryFirst   = time.Second
	retryMax     = time.Minute
)

// keeper keeps one provisioned link: it alone decides whether an attempt is made, which
// machine's keys are the link's, and what its status says. The fields below snapshot belong to
// its goroutine; others send it notices and commands and read the snapshot.
type keeper struct {
	node     *Node
	link     link.Link
	config   provision.Link
	plane    *dataplane.Link
	notices  chan notice
	commands chan command
	log      *slog.Logger
	snapshot atomic.Pointer[control.LinkStatus]

	wanted   bool           // by the operator, or because the link was up
	endpoint netip.AddrPort // where to reach the peer: provisioned, else the last authenticated
	current  *runner        // established
	attempts []*runner      // under way: at most one as UE_A, and authenticated ones as UE_B
	retryAt  time.Time
	backoff  time.Duration
	status   control.LinkStatus
}

// command is the operator's word.
type command struct {
	up   bool
	done chan error // capacity 1
}

var errNoEndpoint = errors.New("no endpoint is known for this link: add endpoint = \"ADDRESS:PORT\" to its provisioning, or let the peer start it")

func (k *keeper) notify(n notice) { k.notices <- n }

// run owns the link until the node has stopped; the node stops it after its last runner.
func (k *keeper) run(ctx context.Context) {
	for {
		if k.idle() && k.wanted && k.retryAt.IsZero() && ctx.Err() == nil {
			k.start(ctx)
		}
		timer, wake := alarm(k.retryAt)
		select {
		case c := <-k.commands:
			c.done <- k.do(c)
		case n := <-k.notices:
			k.handle(n)
		case <-wake:
			k.retryAt = time.Time{}
		case <-k.node.runnersDone:
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

func (k *keeper) idle() bool { return k.current == nil && len(k.attempts) == 0 }

// start makes an attempt as UE_A.
func (k *keeper) start(ctx context.Context) {
	if !k.endpoint.IsValid() {
		k.wanted = false
		return
	}
	r, err := k.node.initiate(ctx, k)
	if err != nil {
		k.failed(err)
		return
	}
	k.attempts = append(k.attempts, r)
	k.setState("establishing")
}

func (k *keeper) do(c command) error {
	if c.up {
		return k.up()
	}
	k.wanted, k.retryAt = false, time.Time{}
	k.node.state.forget(k.link.Name)
	if k.current != nil {
		k.current.release(pc5s.CauseNoLongerNeeded)
	}
	for _, r := range k.attempts {
		r.release(pc5s.CauseNoLongerNeeded)
	}
	if k.idle() {
		k.setState("down")
	}
	return nil
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

func (k *keeper) handle(n notice) {
	switch n := n.(type) {
	case authenticated:
		k.log.Info("peer authenticated", "peer", n.peer.Name, "key", n.peer.Fingerprint.String())
		if n.runner.role == link.RoleB {
			k.attempts = append(k.attempts, n.runner)
		}
	case installed:
		k.install(n)
	case removed:
		k.plane.Retire(uint16(n.session))
	case changed:
		k.changed(n)
	case hinted:
		k.status.Hint = n.err.Error()
		k.publish()
	case exchanged:
		k.exchanged(n)
	}
}

// install makes a session's keys the link's: make before break. Of two crossed attempts the
// other one ends without a message unless its Nonce_1 is the larger.
func (k *keeper) install(n installed) {
	e := n.effect
	err := k.plane.Install(k.planeContext(e))
	e.Send.Wipe()
	e.Receive.Wipe()
	if err != nil {
		k.log.Error("local: user plane refused the keys", "error", err)
		n.runner.release(pc5s.CauseLackOfResources)
		return
	}
	if k.current != nil && k.current != n.runner {
		k.current.abandon()
	}
	k.current = n.runner
	k.attempts = slices.DeleteFunc(k.attempts, func(r *runner) bool { return r == n.runner })
	for _, r := range k.attempts {
		if bytes.Compare(r.nonce[:], n.runner.nonce[:]) < 0 {
			r.abandon()
		}
	}
	k.endpoint, k.wanted, k.backoff, k.retryAt = e.Endpoint, true, 0, time.Time{}
	if err := k.node.state.remember(k.link.Name, e.Endpoint); err != nil {
		k.log.Warn("the link will not come back by itself after a restart", "error", err)
	}
	k.established(n.runner.role, e)
}

// changed follows a machine to its end.
func (k *keeper) changed(n changed) {
	if n.state != link.Released {
		return
	}
	k.attempts = slices.DeleteFunc(k.attempts, func(r *runner) bool { return r == n.runner })
	if k.current == n.runner {
		k.current = nil
		k.released(n.err)
		return
	}
	if k.current == nil && !errors.Is(n.err, errReplaced) && !errors.Is(n.err, link.ErrCancelled) {
		k.failed(n.err)
		return
	}
	if k.idle() && !k.wanted {
		k.setState("down")
	}
}

// released follows the end of an established link.
func (k *keeper) released(err error) {
	var byPeer *link.ReleasedByPeerError
	if errors.As(err, &byPeer) {
		k.wanted = false
		k.node.state.forget(k.link.Name)
	}
	if err != nil {
		k.status.LastError = err.Error()
	}
	k.log.Info("link released", "error", err)
	k.setState("down")
}

// failed plans the next attempt, unless only a change of the provisioning can help.
func (k *keeper) failed(err error) {
	k.status.LastError = err.Error()
	k.log.Warn("establishment failed", "error", err)
	if !k.wanted {
		k.setState("down")
		return
	}
	if permanent(err) {
		k.wanted = false
		k.setState("failed")
		return
	}
	k.backoff = min(max(2*k.backoff, retryFirst), retryMax)
	k.retryAt = time.Now().Add(k.backoff)
	k.setState("waiting")
}

// permanent tells failures that trying again does not mend: this end refused the peer.
func permanent(err error) bool {
	var refused *link.RefusedError
	var rejected *link.RejectedError
	return errors.As(err, &refused) || errors.As(err, &rejected)
}
