package link

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
)

var (
	// ErrCancelled says that this end gave an attempt up.
	ErrCancelled = errors.New("the attempt was given up at this end")
	// ErrInactive says that nothing came within the inactivity period that the peer announced.
	ErrInactive = errors.New("nothing was heard within the peer's maximum inactivity period")
	// ErrKeyEnd says that no new keys could be made in the lifetime of the old ones.
	ErrKeyEnd = errors.New("the keys have reached their end and could not be replaced")
)

// ReleasedByPeerError says that the peer released the link, under protection.
type ReleasedByPeerError struct{ Cause pc5s.Cause }

func (e *ReleasedByPeerError) Error() string {
	return fmt.Sprintf("peer released the link: %s", e.Cause)
}

// Release ends the link: an established one by a protected release request (TS 24.554, 7.2.6),
// also where this end still waits for the accept, because the peer may be established already. An
// unfinished one ends without a message.
func (m *Machine) Release(now time.Time, cause pc5s.Cause) {
	switch m.state {
	case Released, Releasing:
	case Established, AwaitAccept:
		m.release(now, cause)
	default:
		m.fail(ErrCancelled)
	}
}

// Abandon ends the machine without a message, also without one that has not gone out yet: another
// one has taken the link over.
func (m *Machine) Abandon(err error) {
	if m.state == Released {
		return
	}
	m.out = slices.DeleteFunc(m.out, func(e Effect) bool {
		_, sending := e.(Send)
		return sending
	})
	m.fail(err)
}

// release deletes the user plane at once, then waits for the accept (T5087).
func (m *Machine) release(now time.Time, cause pc5s.Cause) {
	msbs, err := m.drawHalf()
	if err != nil {
		m.fail(err)
		return
	}
	m.dropRun()
	m.procedure = NoProcedure
	for _, c := range []*securityContext{m.old, m.ctx} {
		if c != nil {
			m.emit(RemoveUserPlane{c.names[0]})
		}
	}
	m.setState(Releasing)
	m.releaseMSBs = msbs
	m.send(now, m.protected(&pc5s.DirectLinkReleaseRequest{
		SequenceNumber: m.nextSequence(), Cause: cause, KNRPIDMSBs: msbs,
	}), m.cfg.Timers.T5087)
	m.deadline = after(now, m.cfg.Timers.Release)
}

// receiveReleaseRequest answers and ends; only a protected request gets here. It wins over every
// other procedure.
func (m *Machine) receiveReleaseRequest(now time.Time, msg *pc5s.DirectLinkReleaseRequest) error {
	if m.state != Established && m.state != Releasing && m.state != AwaitAccept {
		return DropState
	}
	lsbs, err := m.drawHalf()
	if err != nil {
		m.fail(err)
		return nil
	}
	m.renameKept(msg.KNRPIDMSBs, lsbs)
	m.sendOnce(now, m.protected(&pc5s.DirectLinkReleaseAccept{SequenceNumber: m.nextSequence(), KNRPIDLSBs: lsbs}))
	if m.failed == nil && m.state != Releasing {
		m.failed = &ReleasedByPeerError{Cause: msg.Cause}
	}
	m.setState(Released)
	return nil
}

func (m *Machine) receiveReleaseAccept(msg *pc5s.DirectLinkReleaseAccept) error {
	if m.state != Releasing {
		return DropState
	}
	m.renameKept(m.releaseMSBs, msg.KNRPIDLSBs)
	m.setState(Released)
	return nil
}

// renameKept names the kept key by the halves of request and accept: the ID of the next attempt has
// nothing in common with what stood in clear in this one (T20). Where the accept is lost the ends
// disagree, and the next establishment authenticates in full.
func (m *Machine) renameKept(msbs, lsbs uint16) {
	if m.cfg.Kept != nil && m.ctx != nil {
		m.cfg.Kept.Rename(m.ctx.knrpID, keys.KNRPID(msbs)<<16|keys.KNRPID(lsbs))
	}
}
