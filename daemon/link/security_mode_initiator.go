package link

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// awaitsCommand tells whether a security mode command is what this end waits for.
func (m *Machine) awaitsCommand() bool {
	r := m.run
	switch {
	case r == nil || r.role != RoleA || len(r.offered) > 0:
		return false
	case r.rekeying:
		return m.procedure == RekeyingA
	}
	return m.handshakeOver() || r.psk != nil && (m.state == Requested || m.state == Auth)
}

// handshakeOver tells whether TLS has run to its end.
func (m *Machine) handshakeOver() bool {
	return m.state == Auth && m.auth.complete() && m.auth.out.Done()
}

// receiveCommandPDU is A's side of the command: it must be parsed before the keys that verify
// it exist (TS 38.323, 5.9 NOTE), so everything stays local until the MAC-I is right.
func (m *Machine) receiveCommandPDU(in arrival, session keys.SessionID) error {
	if !m.awaitsCommand() {
		return DropState
	}
	if in.h.Destination != m.local || !m.run.rekeying && in.from != m.endpoint {
		return DropNotForUs
	}
	if in.h.Source != m.peer && m.peer != underlay.Broadcast || !in.h.Source.Assignable() {
		return DropNotForUs
	}
	octets, err := pdcp.PeekClear(in.pdu)
	if err != nil {
		return DropMalformed
	}
	msg, err := pc5s.Parse(octets)
	if err != nil {
		return DropMalformed
	}
	command, ok := msg.(*pc5s.DirectLinkSecurityModeCommand)
	if !ok {
		return DropForm
	}
	if m.run.budget.spent(in.now) {
		return DropRate
	}
	if len(m.run.refused) >= maxCommands && !m.refusedBefore(session) {
		return DropLimit
	}
	c, err := m.verifyCommand(in, command, session)
	if err != nil {
		m.run.budget.fail()
		return err
	}
	e := Exchanged{Message: msg.Type(), Bearer: underlay.SRB1, Protection: c.protection(underlay.SRB1, pdcp.Clear), Octets: len(in.datagram)}
	return m.taking(e, func() error { return m.receiveCommand(in.now, c, command) })
}

// verifyCommand derives what the command claims and verifies its MAC-I. Nothing else is checked
// before, and nothing is answered: a reject that an attacker could provoke would be his weapon.
func (m *Machine) verifyCommand(in arrival, msg *pc5s.DirectLinkSecurityModeCommand, session keys.SessionID) (*securityContext, error) {
	r := m.run
	if msg.Nonce2 == nil || msg.KNRPSessLSB == nil || *msg.KNRPSessLSB == 0 || session != keys.NewSessionID(r.msb, *msg.KNRPSessLSB) {
		return nil, DropUnknownKey
	}
	chosen := suiteOf(msg)
	if msg.Selected.Integrity == nea.NIA0 || (chosen != suite.None && !suite.Built(chosen)) {
		return nil, DropUnverified
	}
	on, err := m.basisOf(in, msg)
	if err != nil {
		return nil, err
	}
	c, err := m.derive(in.now, r, on, contextParameters{
		name: Name{Local: m.local, Peer: on.peer, Session: session}, direction: 0,
		ciphering: msg.Selected.Ciphering, integrity: msg.Selected.Integrity, suite: chosen, nonce1: r.nonce1, nonce2: keys.Nonce(*msg.Nonce2),
	})
	if err != nil {
		return nil, DropUnverified
	}
	if _, err := c.srb1.Open(in.pdu, pdcp.Clear); err != nil {
		c.wipe()
		return nil, DropUnverified
	}
	if on.psk && !r.rekeying {
		m.peer = on.peer
		m.authenticatedBy(in.now, r.psk)
	}
	m.agree(r, c)
	return c, nil
}

// suiteOf is the record suite that a command chose. Extension.
func suiteOf(msg *pc5s.DirectLinkSecurityModeCommand) suite.ID {
	if msg.UserPlaneSuite == nil {
		return suite.None
	}
	return *msg.UserPlaneSuite
}

// basisOf is what the command says that its keys rest on: a share is psk-dhe, none is TLS.
func (m *Machine) basisOf(in arrival, msg *pc5s.DirectLinkSecurityModeCommand) (basis, error) {
	on := basis{identity: m.identity, peer: in.h.Source}
	if len(msg.KeyEstablishmentInfo) == 0 || m.run.psk == nil {
		if m.run.rekeying || !m.handshakeOver() {
			return on, DropContainer
		}
		return on, nil
	}
	command, err := kei.ParseCommand(msg.KeyEstablishmentInfo)
	if err != nil || command.Tag != kei.Tag(m.run.request) {
		return on, DropContainer
	}
	on.psk, on.shareB = true, command.Share
	if !m.run.rekeying {
		on.identity = m.run.psk.kept.Peer
	}
	return on, nil
}

// receiveCommand follows a command that verified.
func (m *Machine) receiveCommand(now time.Time, c *securityContext, msg *pc5s.DirectLinkSecurityModeCommand) error {
	session := c.names[0].Session
	if m.refusedBefore(session) {
		c.wipe()
		return m.refuseAgain(session)
	}
	if !m.cfg.Identifiers.Claim(c.names[0]) {
		c.wipe()
		reject := m.modeReject(pc5s.CauseLSBConflict) // B picks another low half and sends a new command
		m.run.refused = append(m.run.refused, refusal{session, reject})
		m.transmit(reject)
		return nil
	}
	if cause, err := m.checkCommand(msg); err != nil {
		m.disclaim(c)
		m.rejectCommand(now, cause, err)
		return nil
	}
	if err := m.enrol(); err != nil {
		m.disclaim(c)
		m.rejectCommand(now, pc5s.CauseNotAllowed, err)
		return nil
	}
	m.run.offered = append(m.run.offered, c)
	m.complete(now, c, msg)
	return nil
}

// disclaim forgets the context of a refused command. In a re-keying it gives back its name; in an
// establishment that goes with the L2 ID, and nothing announced the link yet.
func (m *Machine) disclaim(c *securityContext) {
	if m.run.rekeying {
		m.dropContext(c)
		return
	}
	c.wipe()
}

// checkCommand holds the command against what this end sent and wants (TS 24.554, 7.2.10.3;
// TS 33.536, 5.3.3.1.4.3 step 3).
func (m *Machine) checkCommand(msg *pc5s.DirectLinkSecurityModeCommand) (pc5s.Cause, error) {
	own, r, chosen := m.link.Signalling, m.run, suiteOf(msg)
	switch {
	case !bytes.Equal(msg.Capabilities, r.capabilities):
		return pc5s.CauseCapabilitiesMismatch, fmt.Errorf("peer echoed other capabilities than were sent: somebody bids down")
	case msg.SecurityPolicy != r.policy:
		return pc5s.CauseSignallingPolicyMismatch, fmt.Errorf("peer echoed another security policy than was sent: somebody bids down")
	case !r.capabilities.Supports(msg.Selected.Ciphering) || !r.capabilities.SupportsIntegrity(msg.Selected.Integrity):
		return pc5s.CauseSignallingPolicyMismatch, fmt.Errorf("peer chose %s and %s, which were not offered", msg.Selected.Ciphering, msg.Selected.Integrity)
	case !admits(own.Ciphering, msg.Selected.Ciphering != nea.NEA0):
		return pc5s.CauseSignallingPolicyMismatch, fmt.Errorf("peer chose %s against this end's signalling ciphering policy %q", msg.Selected.Ciphering, own.Ciphering)
	case chosen == suite.None && m.link.UserPlane.Form == policy.FormRecord:
		return pc5s.CauseSignallingPolicyMismatch, fmt.Errorf("peer chose no record suite, which this link requires")
	case chosen != suite.None && !r.capabilities.Offers(chosen):
		return pc5s.CauseSignallingPolicyMismatch, fmt.Errorf("peer chose %s, which was not offered", chosen)
	}
	if err := m.sameForm(r, chosen, msg.Selected.Ciphering); err != nil {
		return pc5s.CauseSignallingPolicyMismatch, err
	}
	if err := builtForm(msg.Selected.Integrity); err != nil {
		return pc5s.CauseSignallingPolicyMismatch, err
	}
	return 0, nil
}

// modeReject refuses a command: on SL-SRB0 in an establishment, under the old keys in a
// re-keying.
func (m *Machine) modeReject(cause pc5s.Cause) outgoing {
	msg := &pc5s.DirectLinkSecurityModeReject{SequenceNumber: m.nextSequence(), Cause: cause}
	if m.run.rekeying {
		return m.protected(msg)
	}
	return m.clear(msg)
}

func (m *Machine) refusedBefore(session keys.SessionID) bool {
	return slices.ContainsFunc(m.run.refused, func(r refusal) bool { return r.session == session })
}

// refuseAgain answers a repeated command whose low half conflicts by the same reject.
func (m *Machine) refuseAgain(session keys.SessionID) error {
	for _, r := range m.run.refused {
		if r.session == session {
			m.transmit(r.reject)
		}
	}
	return DropRepeated
}

// rejectCommand answers a verified command that breaks this end's rules. A re-keying ends with
// it; the link goes on under its keys, until they end.
func (m *Machine) rejectCommand(now time.Time, cause pc5s.Cause, reason error) {
	m.transmit(m.modeReject(cause))
	err := &RejectedError{Local: true, Cause: cause, Reason: reason.Error()}
	if !m.run.rekeying {
		m.fail(err)
		return
	}
	m.dropRun()
	m.wish.rekeyAt = now.Add(m.cfg.Timers.RekeyMin)
	m.conclude(now, err)
}

// complete answers the command: A's user-plane policy travels here, protected (R17). In a
// re-keying A sends under the new keys from now on, and it says what the first complete said.
func (m *Machine) complete(now time.Time, c *securityContext, msg *pc5s.DirectLinkSecurityModeCommand) {
	reply := &pc5s.DirectLinkSecurityModeComplete{
		SequenceNumber: m.nextSequence(), QoSFlowDescriptions: pc5s.DefaultQoS(), UserPlanePolicy: m.agreement.UserPlaneRequest,
	}
	if !m.run.rekeying {
		local := m.link.LinkLocal.As16()
		reply.UserPlanePolicy = pc5s.SecurityPolicy(m.link.UserPlane.Protection)
		reply.IPAddressConfiguration, reply.LinkLocal = pc5s.AddressAllocationNotSupported, &local
		c.agreement.UserPlaneRequest = reply.UserPlanePolicy
	}
	if msg.KNRPIDMSBs != nil {
		lsbs, err := m.drawHalf()
		if err != nil {
			m.fail(err)
			return
		}
		reply.KNRPIDLSBs = &lsbs
		c.knrpID = keys.KNRPID(*msg.KNRPIDMSBs)<<16 | keys.KNRPID(lsbs)
	}
	if m.run.rekeying {
		m.emit(m.userPlane(c))
		m.switchKeys(c)
		m.keepKey(c)
		m.send(now, m.onSRB1(reply, c, pdcp.Ciphered), m.cfg.Timers.T5091)
		return
	}
	m.ctx = c
	m.keepKey(c)
	m.emit(Authenticated{Peer: m.identity, Proof: m.proof, Link: m.link, CertificateEnd: m.certificateEnd})
	m.deadline = time.Time{} // from here on T5080 alone: B may be established
	m.setState(AwaitAccept)
	m.send(now, m.onSRB1(reply, c, pdcp.Ciphered), m.cfg.Timers.T5080)
}
