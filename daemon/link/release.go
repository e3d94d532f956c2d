package link

import (
	"errors"
	"fmt"
	"time"

	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
)

// ErrCancelled says that this end gave an attempt up.
var ErrCancelled = errors.New("the attempt was given up at this end")

// ReleasedByPeerError says that the peer released the link, under protection.
type ReleasedByPeerError struct{ Cause pc5s.Cause }

func (e *ReleasedByPeerError) Error() string {
	return fmt.Sprintf("peer released the link: %s", e.Cause)
}

// Release ends the link: an established one by a protected release request (TS 24.554, 7.2.6),
// an unfinished one without a message.
func (m *Machine) Release(now time.Time, cause pc5s.Cause) {
	switch m.state {
	case Released, Releasing:
	case Established:
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
	m.emit(RemoveUserPlane{Session: m.ctx.session, Local: m.local, Peer: m.peer})
	m.setState(Releasing)
	m.send(now, &pc5s.DirectLinkReleaseRequest{
		SequenceNumber: m.nextSequence(), Cause: cause, KNRPIDMSBs: uint16(m.knrpID >> 16),
	}, underlay.SRB2, pdcp.Ciphered)
	m.deadline = now.Add(m.cfg.Timers.Release)
}

// receiveReleaseRequest answers and ends; only a protected request gets here.
func (m *Machine) receiveReleaseRequest(now time.Time, msg *pc5s.DirectLinkReleaseRequest) error {
	if m.state != Established && m.state != Releasing && m.state != AwaitAccept {
		return DropState
	}
	m.sendOnce(now, &pc5s.DirectLinkReleaseAccept{SequenceNumber: m.nextSequence(), KNRPIDLSBs: uint16(m.knrpID)}, underlay.SRB2, pdcp.Ciphered)
	if m.failed == nil {
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
