package link

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// RejectedError says that one end refused the other's security parameters, with the cause that
// stands on the wire (TS 24.554, 11.3.8). Authentic tells whether the refusal was protected.
type RejectedError struct {
	Local  bool
	Cause  pc5s.Cause
	Reason string
}

func (e *RejectedError) Error() string {
	if e.Local {
		return fmt.Sprintf("refused the peer: %s: %s", e.Cause, e.Reason)
	}
	return fmt.Sprintf("peer refused: %s", e.Cause)
}

// command is B's start of security mode control (TS 24.554, 7.2.10.2): the peer is
// authenticated, its link found, the algorithms chosen, the keys made.
func (m *Machine) command(now time.Time) {
	peer := m.auth.handshake.Peer()
	if string(m.parsed.SourceUserInfo) != peer.Name {
		m.rejectAuthentication(now, fmt.Errorf("peer calls itself %q but its key belongs to %q", m.parsed.SourceUserInfo, peer.Name))
		return
	}
	l, ok := m.cfg.Links.Lookup(peer, pc5s.ServiceName(m.parsed.ProSeIdentifiers))
	if !ok {
		m.rejectEstablishment(now, pc5s.CauseNotAllowed, fmt.Errorf("no link to %q for the requested service is provisioned", peer.Name))
		return
	}
	m.link = l
	m.emit(Authenticated{Peer: peer, Link: l})
	selected, chosen, err := m.choose()
	if err != nil {
		m.rejectEstablishment(now, pc5s.CauseSecurityPolicyNotAligned, err)
		return
	}
	nonce2, lsb, id, err := m.drawCommand()
	if err != nil {
		m.fail(err)
		return
	}
	m.knrpID = keys.KNRPID(id) << 16
	p := contextParameters{
		session: keys.NewSessionID(*m.parsed.KNRPSessMSB, lsb), direction: 1,
		ciphering: selected.Ciphering, integrity: selected.Integrity, suite: chosen, nonce1: m.nonce1, nonce2: nonce2,
	}
	if m.ctx, err = m.derive(peer, m.cfg.Auth.Local(), p); err != nil {
		m.fail(err)
		return
	}
	m.setState(SecurityMode)
	n2 := [16]byte(nonce2)
	m.send(now, &pc5s.DirectLinkSecurityModeCommand{
		SequenceNumber: m.nextSequence(), Selected: selected, Capabilities: m.parsed.Capabilities,
		SecurityPolicy: m.parsed.SecurityPolicy, Nonce2: &n2, KNRPSessLSB: &lsb, KNRPIDMSBs: &id, UserPlaneSuite: &chosen,
	}, underlay.SRB1, pdcp.Clear)
}

// choose picks by this end's own order among what A offered (T04).
func (m *Machine) choose() (pc5s.SelectedAlgorithms, suite.ID, error) {
	offer := m.parsed.Capabilities
	c, i, err := policy.ChooseSignalling(m.link.Signalling, policy.Offer{Ciphering: offer.Supports, Integrity: offer.SupportsIntegrity}, policy.Protection(m.parsed.SecurityPolicy))
	if err != nil {
		return pc5s.SelectedAlgorithms{}, suite.None, err
	}
	s, err := policy.ChooseSuite(m.link.UserPlane, offer.Offers)
	if err != nil {
		return pc5s.SelectedAlgorithms{}, suite.None, err
	}
	if err := builtForm(c, s); err != nil {
		return pc5s.SelectedAlgorithms{}, suite.None, err
	}
	return pc5s.SelectedAlgorithms{Ciphering: c, Integrity: i}, s, nil
}

// builtForm refuses the combination that no suite carries yet: integrity-only records.
func builtForm(c nea.Ciphering, s suite.ID) error {
	if s != suite.None && c == nea.NEA0 {
		return fmt.Errorf("signalling without ciphering is not built in the record form: set signalling.ciphering to preferred or required at both ends")
	}
	return nil
}

// drawCommand draws Nonce_2, the LSB of K_NRP-sess ID (never 0) and the MSBs of K_NRP ID.
func (m *Machine) drawCommand() (nonce keys.Nonce, lsb byte, id uint16, err error) {
	var b [19]byte
	for b[16] == 0 {
		if err := m.draw(b[:]); err != nil {
			return nonce, 0, 0, err
		}
	}
	return keys.Nonce(b[:16]), b[16], binary.BigEndian.Uint16(b[17:]), nil
}

// derive makes the security context and the resumption key, and wipes K_NRP: nobody keeps it.
func (m *Machine) derive(a, b Peer, p contextParameters) (*securityContext, error) {
	knrp, err := m.auth.handshake.ExportKNRP(m.keyContext(a, b))
	if err != nil {
		return nil, err
	}
	defer knrp.Wipe()
	ctx, err := newSecurityContext(knrp, p)
	if err != nil {
		return nil, err
	}
	m.resumption = keys.DeriveResumptionKey(knrp)
	m.agreement = Agreement{
		A: a, B: b, RequestHash: m.requestHash, Session: p.session, LayerTwoA: m.layerTwoA(), LayerTwoB: m.layerTwoB(),
		Ciphering: p.ciphering, Integrity: p.integrity, Suite: p.suite, SignallingRequest: m.parsed.SecurityPolicy,
	}
	return ctx, nil
}

// rejectEstablishment refuses before there is security: the reject is a hint to A.
func (m *Machine) rejectEstablishment(now time.Time, cause pc5s.Cause, err error) {
	m.sendOnce(now, &pc5s.DirectLinkEstablishmentReject{SequenceNumber: m.nextSequence(), Cause: cause}, underlay.SRB0, pdcp.Clear)
	m.fail(&RejectedError{Local: true, Cause: cause, Reason: err.Error()})
}

// receiveSRB1 takes the two messages of security mode control.
func (m *Machine) receiveSRB1(now time.Time, from netip.AddrPort, h underlay.Header, pdu []byte, octets int) error {
	if m.role == RoleA {
		return m.receiveCommandPDU(now, from, h, pdu, octets)
	}
	if m.ctx == nil || h.Source != m.peer {
		return DropUnknownKey
	}
	sdu, err := m.ctx.srb1.Open(pdu, pdcp.Ciphered)
	if err != nil {
		return DropUnverified
	}
	msg, err := pc5s.Parse(sdu)
	if err != nil {
		return DropMalformed
	}
	complete, ok := msg.(*pc5s.DirectLinkSecurityModeComplete)
	if !ok {
		return DropForm
	}
	m.emit(Exchanged{Message: msg.Type(), Bearer: h.LCID, Protection: m.ctx.protection(h.LCID, pdcp.Ciphered), Octets: octets})
	return m.receiveComplete(now, complete)
}

// receiveCommandPDU is A's side of the command: it must be parsed before the keys that verify
// it exist (TS 38.323, 5.9 NOTE), so everything stays local until the MAC-I is right.
func (m *Machine) receiveCommandPDU(now time.Time, from netip.AddrPort, h underlay.Header, pdu []byte, octets int) error {
	if h.Source != m.peer || from != m.endpoint {
		return DropNotForUs
	}
	if m.state == AwaitAccept || m.state == Established {
		if _, err := m.ctx.srb1.Open(pdu, pdcp.Clear); err != nil {
			return DropUnverified
		}
		return m.repeatComplete(now)
	}
	if m.state != Auth || !m.auth.complete() || !m.auth.out.Done() {
		return DropState
	}
	_, session, err := pdcp.ParseHeader(pdu)
	if err != nil {
		return DropMalformed
	}
	command, err := pdcp.PeekClear(pdu)
	if err != nil {
		return DropMalformed
	}
	msg, err := pc5s.Parse(command)
	if err != nil {
		return DropMalformed
	}
	c, ok := msg.(*pc5s.DirectLinkSecurityModeCommand)
	if !ok {
		return DropForm
	}
	return m.receiveCommand(now, h, c, session, pdu, octets)
}

// receiveCommand runs the checks of the command, the MAC-I first: a reject that an attacker
// could provoke would be his weapon. What does not verify is dropped and the timer runs on.
func (m *Machine) receiveCommand(now time.Time, h underlay.Header, c *pc5s.DirectLinkSecurityModeCommand, session uint16, pdu []byte, octets int) error {
	chosen := suite.None
	if c.UserPlaneSuite != nil {
		chosen = *c.UserPlaneSuite
	}
	if c.Nonce2 == nil || c.KNRPSessLSB == nil || session != uint16(keys.NewSessionID(*m.parsed.KNRPSessMSB, *c.KNRPSessLSB)) || *c.KNRPSessLSB == 0 {
		return DropUnknownKey
	}
	if c.Selected.Integrity == nea.NIA0 || (chosen != suite.None && !suite.Built(chosen)) {
		return DropUnverified
	}
	peer := m.auth.handshake.Peer()
	p := contextParameters{
		session: keys.SessionID(session), direction: 0, ciphering: c.Selected.Ciphering, integrity: c.Selected.Integrity,
		suite: chosen, nonce1: m.nonce1, nonce2: keys.Nonce(*c.Nonce2),
	}
	knrp, err := m.auth.handshake.ExportKNRP(m.keyContext(m.cfg.Auth.Local(), peer))
	if err != nil {
		return DropState
	}
	defer knrp.Wipe()
	ctx, err := newSecurityContext(knrp, p)
	if err != nil {
		return DropUnverified
	}
	if _, err := ctx.srb1.Open(pdu, pdcp.Clear); err != nil {
		ctx.wipe()
		return DropUnverified
	}
	m.emit(Exchanged{Message: c.Type(), Bearer: h.LCID, Protection: ctx.protection(h.LCID, pdcp.Clear), Octets: octets})
	if cause, err := m.checkCommand(c, chosen); err != nil {
		ctx.wipe()
		m.rejectCommand(now, cause, err)
		return nil
	}
	m.ctx = ctx
	m.resumption = keys.DeriveResumptionKey(knrp)
	m.agreement = Agreement{
		A: m.cfg.Auth.Local(), B: peer, RequestHash: m.requestHash, Session: p.session, LayerTwoA: m.local, LayerTwoB: m.peer,
		Ciphering: p.ciphering, Integrity: p.integrity, Suite: p.suite, SignallingRequest: c.SecurityPolicy,
	}
	m.complete(now, c)
	return nil
}

// checkCommand holds the command against what this end sent and wants (TS 24.554, 7.2.10.3;
// TS 33.536, 5.3.3.1.4.3 step 3).
func (m *Machine) checkCommand(c *pc5s.DirectLinkSecurityModeCommand, chosen suite.ID) (pc5s.Cause, error) {
	own := m.link.Signalling
	switch {
	case !bytes.Equal(c.Capabilities, m.parsed.Capabilities):
		return pc5s.CauseCapabilitiesMismatch, fmt.Errorf("peer echoed other capabilities than were sent: somebody bids down")
	case c.SecurityPolicy != m.parsed.SecurityPolicy:
		return pc5s.CauseSignallingPolicyMismatch, fmt.Errorf("peer echoed another security policy than was sent: somebody bids down")
	case !m.parsed.Capabilities.Supports(c.Selected.Ciphering) || !m.parsed.Capabilities.SupportsIntegrity(c.Selected.Integrity):
		return pc5s.CauseSignallingPolicyMismatch, fmt.Errorf("peer chose %s and %s, which were not offered", c.Selected.Ciphering, c.Selected.Integrity)
	case !admits(own.Ciphering, c.Selected.Ciphering != nea.NEA0):
		return pc5s.CauseSignallingPolicyMismatch, fmt.Errorf("peer chose %s against this end's signalling ciphering policy %q", c.Selected.Ciphering, own.Ciphering)
	case chosen == suite.None && m.link.UserPlane.Form == policy.FormRecord:
		return pc5s.CauseSignallingPolicyMismatch, fmt.Errorf("peer chose no record suite, which this link requires")
	case chosen != suite.None && !m.parsed.Capabilities.Offers(chosen):
		return pc5s.CauseSignallingPolicyMismatch, fmt.Errorf("peer chose %s, which was not offered", chosen)
	}
	if err := builtForm(c.Selected.Ciphering, chosen); err != nil {
		return pc5s.CauseSignallingPolicyMismatch, err
	}
	return 0, nil
}

// rejectCommand answers a verified command that breaks this end's rules.
func (m *Machine) rejectCommand(now time.Time, cause pc5s.Cause, err error) {
	m.sendOnce(now, &pc5s.DirectLinkSecurityModeReject{SequenceNumber: m.nextSequence(), Cause: cause}, underlay.SRB0, pdcp.Clear)
	m.fail(&RejectedError{Local: true, Cause: cause, Reason: err.Error()})
}

// complete answers the command: A's user-plane policy travels here, protected (R17).
func (m *Machine) complete(now time.Time, c *pc5s.DirectLinkSecurityModeCommand) {
	m.emit(Authenticated{Peer: m.agreement.B, Link: m.link})
	reply := &pc5s.DirectLinkSecurityModeComplete{
		SequenceNumber: m.nextSequence(), QoSFlowDescriptions: pc5s.DefaultQoS(),
		UserPlanePolicy: pc5s.SecurityPolicy(m.link.UserPlane.Protection), IPAddressConfiguration: pc5s.AddressAllocationNotSupported,
	}
	local := m.link.LinkLocal.As16()
	reply.LinkLocal = &local
	if c.KNRPIDMSBs != nil {
		var b [2]byte
		if err := m.draw(b[:]); err != nil {
			m.fail(err)
			return
		}
		lsbs := binary.BigEndian.Uint16(b[:])
		reply.KNRPIDLSBs = &lsbs
		m.knrpID = keys.KNRPID(*c.KNRPIDMSBs)<<16 | keys.KNRPID(lsbs)
	}
	m.agreement.UserPlaneRequest = reply.UserPlanePolicy
	m.setState(AwaitAccept)
	m.send(now, reply, underlay.SRB1, pdcp.Ciphered)
}

// repeatComplete answers a repeated command; an established A has nothing more to say.
func (m *Machine) repeatComplete(now time.Time) error {
	if m.state == Established {
		return DropRepeated
	}
	return m.repeat(now)
}

// receiveComplete ends security mode control at B; the peer has now proved the key, so the
// user-plane policies are compared and the accept follows (TS 24.554, 7.2.10.4, 7.2.2.3).
func (m *Machine) receiveComplete(now time.Time, msg *pc5s.DirectLinkSecurityModeComplete) error {
	if m.state == Established {
		return m.repeat(now)
	}
	if m.state != SecurityMode {
		return DropState
	}
	integrity, ciphering, err := policy.ResolveUserPlane(m.link.UserPlane.Protection, policy.Protection(msg.UserPlanePolicy))
	configuration := pc5s.UserPlaneConfiguration{Integrity: integrity, Ciphering: ciphering}
	if err == nil {
		err = builtUserPlane(configuration)
	}
	if err != nil {
		m.sendOnce(now, &pc5s.DirectLinkEstablishmentReject{SequenceNumber: m.nextSequence(), Cause: pc5s.CauseSecurityPolicyNotAligned}, underlay.SRB2, pdcp.Ciphered)
		m.fail(&RejectedError{Local: true, Cause: pc5s.CauseSecurityPolicyNotAligned, Reason: err.Error()})
		return nil
	}
	if msg.KNRPIDLSBs != nil {
		m.knrpID |= keys.KNRPID(*msg.KNRPIDLSBs)
	}
	if msg.LinkLocal != nil {
		m.peerLocal = netip.AddrFrom16(*msg.LinkLocal)
	}
	m.agreement.UserPlaneRequest = msg.UserPlanePolicy
	m.accept(now, configuration)
	return nil
}

// receiveSRB2 takes every other protected message.
func (m *Machine) receiveSRB2(now time.Time, h underlay.Header, datagram, pdu []byte) error {
	if m.ctx == nil || h.Source != m.peer {
		return DropUnknownKey
	}
	var sdu []byte
	var err error
	switch {
	case m.ctx.suite == suite.None && h.Form == underlay.FormPDCP:
		sdu, err = m.ctx.srb2.Open(pdu, pdcp.Ciphered)
	case m.ctx.suite != suite.None && h.Form == underlay.FormRecord:
		sdu, err = m.ctx.opener.Open(datagram)
	default:
		return DropForm
	}
	if err != nil {
		return DropUnverified
	}
	msg, err := pc5s.Parse(sdu)
	if err != nil {
		return DropMalformed
	}
	m.emit(Exchanged{Message: msg.Type(), Bearer: h.LCID, Protection: m.ctx.protection(h.LCID, pdcp.Ciphered), Octets: len(datagram)})
	switch msg := msg.(type) {
	case *pc5s.DirectLinkEstablishmentAccept:
		return m.receiveAccept(now, msg)
	case *pc5s.DirectLinkEstablishmentReject:
		if m.role != RoleA || m.state != AwaitAccept {
			return DropState
		}
		m.fail(&RejectedError{Cause: msg.Cause})
		return nil
	case *pc5s.DirectLinkReleaseRequest:
		return m.receiveReleaseRequest(now, msg)
	case *pc5s.DirectLinkReleaseAccept:
		return m.receiveReleaseAccept()
	}
	return DropState
}
