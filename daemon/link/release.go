package link

import (
	"errors"
	"fmt"
	"time"

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

// Abandon ends the machine without a message: another one has taken the link over.
func (m *Machine) Abandon(err error) {
	if m.state != Released {
		m.fail(err)
	}
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
	m.send(now, m.protected(&pc5s.DirectLinkReleaseRequest{
		SequenceNumber: m.nextSequence(), Cause: cause, KNRPIDMSBs: msbs,
	}), m.cfg.Timers.T5087)
	m.deadline = after(now, m.cfg.Timers.Release)
}

// receiveReleaseRequest answers and ends; only a protected request gets here. It wins over every
// other procedure. The halves of the two messages would name a kept key the next time.
func (m *Machine) receiveReleaseRequest(now time.Time, msg *pc5s.DirectLinkReleaseRequest) error {
	if m.state != Established && m.state != Releasing && m.state != AwaitAccept {
		return DropState
	}
	lsbs, err := m.drawHalf()
	if err != nil {
		m.fail(err)
		return nil
	}
	m.sendOnce(now, m.protected(&pc5s.DirectLinkReleaseAccept{SequenceNumber: m.nextSequence(), KNRPIDLSBs: lsbs}))
	if m.failed == nil && m.state != Releasing {
		m.failed = &ReleasedByPeerError{Cause: msg.Cause}
	}
	m.setState(Released)
	return nil
}

func (m *Machine) receiveReleaseAccept() error {
	if m.state != Releasing {
		return DropState
	}
	m.setState(Released)
	return nil
}
