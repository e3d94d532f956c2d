package daemon

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
)

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
