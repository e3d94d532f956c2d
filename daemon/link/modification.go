package link

import (
	"errors"
	"fmt"
	"time"

	"pc5d/daemon/pc5s"
)

// ErrModificationRejected says that the peer refused a modification.
var ErrModificationRejected = errors.New("the peer refused the modification")

// startModification asks for a change of QoS flows or services (TS 24.554, 7.2.3.2; recalled).
func (m *Machine) startModification(now time.Time, r *pc5s.DirectLinkModificationRequest) {
	m.procedure, m.modification = Modify, r
	r.SequenceNumber = m.nextSequence()
	m.send(now, m.protected(r), m.cfg.Timers.T5081)
}

// receiveModificationRequest answers the peer's. QoS flows change nothing here, services do not
// move between links, and nothing in it can change security (TS 24.554, 7.2.3.3).
func (m *Machine) receiveModificationRequest(now time.Time, raw []byte, msg *pc5s.DirectLinkModificationRequest) error {
	if m.modified.answers(raw) {
		return m.again(now, &m.modified)
	}
	if err := m.admitRequest(now); err != nil {
		return err
	}
	if err := m.crossing(Modify); err != nil {
		return err
	}
	m.yield(Modify)
	if cause := m.judgeModification(msg); cause != 0 {
		m.reply(now, &m.modified, raw, m.protected(&pc5s.DirectLinkModificationReject{SequenceNumber: m.nextSequence(), Cause: cause}))
		return nil
	}
	m.reply(now, &m.modified, raw, m.protected(&pc5s.DirectLinkModificationAccept{SequenceNumber: m.nextSequence(), QoSFlowDescriptions: msg.QoSFlowDescriptions}))
	return nil
}

// judgeModification gives the cause of a reject; 0: the request is accepted. A link carries the
// one service that it was established for.
func (m *Machine) judgeModification(msg *pc5s.DirectLinkModificationRequest) pc5s.Cause {
	switch msg.Operation {
	case pc5s.ModificationAssociateServices:
		if pc5s.ServiceName(msg.ProSeIdentifiers) != m.link.Service {
			return pc5s.CauseServiceNotAllowed
		}
	case pc5s.ModificationRemoveServices:
		return pc5s.CauseServiceNotAllowed
	default:
		if len(msg.QoSFlowDescriptions) == 0 { // conditional IE missing
			return pc5s.CauseProtocolError
		}
	}
	return 0
}

func (m *Machine) receiveModificationAccept(now time.Time, raw []byte) error {
	if m.procedure != Modify {
		return DropState
	}
	m.modification, m.concluded = nil, raw
	m.conclude(now, nil)
	return nil
}

func (m *Machine) receiveModificationReject(now time.Time, raw []byte, msg *pc5s.DirectLinkModificationReject) error {
	if m.procedure != Modify {
		return DropState
	}
	m.modification, m.concluded = nil, raw
	m.conclude(now, fmt.Errorf("%w: %s", ErrModificationRejected, msg.Cause))
	return nil
}
