package link

import (
	"time"

	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// handleClear gives a message that nothing protects to its procedure.
func (m *Machine) handleClear(now time.Time, h underlay.Header, msg pc5s.Message) error {
	switch msg := msg.(type) {
	case *pc5s.DirectLinkAuthenticationRequest:
		if m.role == RoleA {
			return m.receiveAuthenticationRequest(now, h.Source, msg)
		}
	case *pc5s.DirectLinkAuthenticationResponse:
		if m.role == RoleB && h.Source == m.peer {
			return m.receiveAuthenticationResponse(now, msg)
		}
	case *pc5s.DirectLinkEstablishmentReject:
		if m.role == RoleA && m.state != Idle {
			return m.refusedInClear(msg.Type(), msg.Cause)
		}
	case *pc5s.DirectLinkAuthenticationReject:
		if m.role == RoleA && m.state != Idle {
			return m.refusedInClear(msg.Type(), msg.Cause)
		}
	case *pc5s.DirectLinkAuthenticationFailure:
		if m.role == RoleB {
			return m.refusedInClear(msg.Type(), pc5s.CauseAuthenticationFailure)
		}
	case *pc5s.DirectLinkSecurityModeReject:
		if m.role == RoleB {
			return m.receiveModeReject(now, msg)
		}
	}
	return DropState
}

// refusedInClear records a refusal that anyone could have sent: a valid message in the same
// procedure still wins (T11). People are told of the first few; the last one is kept.
func (m *Machine) refusedInClear(t pc5s.MessageType, cause pc5s.Cause) error {
	m.hint = &PeerRefusedError{Local: m.cfg.Auth.Local(), Reason: t.String() + ": " + cause.String()}
	if m.hints < maxHints {
		m.hints++
		m.emit(Hint{Err: m.hint})
	}
	return DropHint
}

// handleProtected gives a verified message to its procedure. raw is the message's own memory.
func (m *Machine) handleProtected(in arrival, raw []byte, msg pc5s.Message) error {
	switch msg := msg.(type) {
	case *pc5s.DirectLinkEstablishmentAccept:
		return m.receiveAccept(in.now, msg)
	case *pc5s.DirectLinkEstablishmentReject:
		return m.receiveReject(msg)
	case *pc5s.DirectLinkReleaseRequest:
		return m.receiveReleaseRequest(in.now, msg)
	case *pc5s.DirectLinkReleaseAccept:
		return m.receiveReleaseAccept(msg)
	}
	if m.state != Established {
		return DropState
	}
	switch msg := msg.(type) {
	case *pc5s.DirectLinkKeepaliveRequest:
		return m.receiveKeepaliveRequest(in.now, raw, msg)
	case *pc5s.DirectLinkKeepaliveResponse:
		return m.receiveKeepaliveResponse(in.now, msg)
	}
	if in.late(m.ctx) || m.concluded.again(raw) {
		return DropRepeated
	}
	err := m.handleProcedure(in, raw, msg)
	if err == nil {
		in.ctx.latest = in.count
	}
	return err
}
