package daemon

import (
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
)

// responderPatience is how much later the responder of a link authenticates anew than its initiator
// does: it takes over from one that does not.
const responderPatience = time.Minute

// reauthentication is when a link needs a new full authentication, and when it ends without one.
// Re-keyings, identifier updates and kept keys renew neither.
type reauthentication struct{ due, end time.Time }

// reauthenticationAfter plans for a session whose peer was authenticated in full at a time.
func reauthenticationAfter(full time.Time, role link.Role, t link.Timers) reauthentication {
	var r reauthentication
	if t.Reauthenticate > 0 {
		r.due = full.Add(t.Reauthenticate)
	}
	if t.ReauthenticateEnd > 0 {
		r.end = full.Add(t.ReauthenticateEnd)
	}
	if role == link.RoleB && !r.due.IsZero() {
		r.due = r.due.Add(responderPatience)
	}
	return r
}

// renew makes a new session with a full authentication where the present one is old: it takes the
// link over when it is there, so no packet waits. One that fails is followed by the next.
func (k *keeper) renew(now time.Time) {
	switch {
	case k.current == nil || k.halted:
		return
	case due(k.renewal.end, now):
		k.log.Warn("link ends: its peer was not authenticated again in time")
		k.renewal = reauthentication{}
		k.current.release(pc5s.CauseAuthenticationFailure)
	case due(k.renewal.due, now) && k.endpoint.IsValid():
		k.renewal.due = now.Add(retryMax)
		k.reauthenticate()
	}
}

// reauthenticate starts a full authentication beside the present session.
func (k *keeper) reauthenticate() {
	if len(k.attempts) > 0 || k.queued {
		return
	}
	l := k.provisioned()
	l.Anew = true
	if err := k.attempt(l); err != nil {
		k.log.Warn("authentication anew", "error", err)
	}
}

// due tells whether a time that is set has come.
func due(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// sooner is the first of two times that are set.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
