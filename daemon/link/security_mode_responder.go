package link

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// pseudonymLen is the length of a pseudonym: 16 random octets in hexadecimal.
const pseudonymLen = 32

// command is B's start of security mode control in an establishment (TS 24.554, 7.2.10.2): the
// peer is authenticated and its link found.
func (m *Machine) command(now time.Time) {
	m.authenticatedByCertificate(now)
	if claimed := string(m.parsed.SourceUserInfo); claimed != m.identity.Name && !isPseudonym(claimed) {
		m.rejectAuthentication(now, fmt.Errorf("peer calls itself %q but its key belongs to %q", claimed, m.identity.Name))
		return
	}
	m.offer(now)
}

// offer finds the link of the authenticated peer and commands.
func (m *Machine) offer(now time.Time) {
	l, ok := m.find(pc5s.ServiceName(m.parsed.ProSeIdentifiers))
	switch {
	case !ok && m.run.psk == nil && m.invited() != nil:
		m.refuseUnknown(now)
		return
	case !ok:
		m.rejectEstablishment(now, pc5s.CauseNotAllowed, fmt.Errorf("no link to %q for the requested service is provisioned", m.identity.Name))
		return
	}
	m.link = l
	if due(m.ownEnd(), now) {
		m.rejectEstablishment(now, pc5s.CauseNotAllowed, ErrOwnCertificateEnd)
		return
	}
	m.cfg.Timers = l.Pace.apply(m.cfg.Timers)
	if m.pin == nil { // else it has no link yet
		m.emit(Authenticated{Peer: m.identity, Proof: m.proof, Link: l, CertificateEnd: m.certificateEnd})
	}
	switch err := m.sendCommand(now).(type) {
	case nil:
		m.setState(SecurityMode)
	case *RejectedError:
		m.rejectEstablishment(now, err.Cause, errors.New(err.Reason))
	default:
		m.fail(err) // local: no cause tells the peer anything, and the next attempt may do better
	}
}

// isPseudonym tells whether user info has the form of a pseudonym: then it names nobody, and the
// names in ctx alone count (T08, T20).
func isPseudonym(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(s) == pseudonymLen && hex.EncodeToString(b) == s
}

// sendCommand makes the keys of a run and sends the command under them: from now on B receives
// with them. After an LSB conflict it runs again with another low half. A *RejectedError says that
// the peer's wishes and this end's do not fit; any other error is local.
func (m *Machine) sendCommand(now time.Time) error {
	r := m.run
	selected, chosen, err := m.choose(r)
	if err != nil {
		return &RejectedError{Local: true, Cause: pc5s.CauseSecurityPolicyNotAligned, Reason: err.Error()}
	}
	var nonce2 keys.Nonce
	if err := m.draw(nonce2[:]); err != nil {
		return err
	}
	id, err := m.drawHalf()
	if err != nil {
		return err
	}
	lsb, err := m.drawLSB(r)
	if err != nil {
		return err
	}
	c, err := m.derive(now, r, m.ownBasis(), contextParameters{
		name: Name{Local: m.local, Peer: m.peer, Session: keys.NewSessionID(r.msb, lsb)}, direction: 1,
		ciphering: selected.Ciphering, integrity: selected.Integrity, suite: chosen, nonce1: r.nonce1, nonce2: nonce2,
	})
	if err != nil {
		return err
	}
	c.knrpID = keys.KNRPID(id) << 16
	m.agree(r, c)
	if r.rekeying {
		m.emit(m.userPlane(c))
	}
	r.offered = append(r.offered, c)
	n2 := [16]byte(nonce2)
	msg := &pc5s.DirectLinkSecurityModeCommand{
		SequenceNumber: m.nextSequence(), Selected: selected, Capabilities: r.capabilities,
		SecurityPolicy: r.policy, Nonce2: &n2, KNRPSessLSB: &lsb, KNRPIDMSBs: &id, UserPlaneSuite: &chosen,
	}
	if r.psk != nil {
		msg.KeyEstablishmentInfo = (&kei.Command{Tag: kei.Tag(r.request), Share: r.psk.shareB}).AppendTo(nil)
	}
	if m.unproved() { // the address is not proved: only a repeated request brings it again (T34)
		m.sendOnce(now, m.onSRB1(msg, c, pdcp.Clear))
		return nil
	}
	m.send(now, m.onSRB1(msg, c, pdcp.Clear), m.cfg.Timers.T5089)
	return nil
}

// ownBasis is what this end's own commands rest on.
func (m *Machine) ownBasis() basis {
	on := basis{identity: m.identity, peer: m.peer}
	if x := m.run.psk; x != nil {
		on.psk, on.shareB = true, x.shareB
	}
	return on
}

// onSRB1 makes a message of security mode control.
func (m *Machine) onSRB1(msg pc5s.Message, c *securityContext, ciphering pdcp.Ciphering) outgoing {
	return outgoing{message: pc5s.Marshal(msg), kind: msg.Type(), bearer: underlay.SRB1, ciphering: ciphering, ctx: c}
}

// drawLSB draws B's half, another one than the conflicting ones.
func (m *Machine) drawLSB(r *securityRun) (uint8, error) {
	for {
		lsb, err := m.drawOctet()
		if err != nil {
			return 0, err
		}
		if !slices.ContainsFunc(r.offered, func(c *securityContext) bool { return c.names[0].Session.LSB() == lsb }) {
			return lsb, nil
		}
	}
}

// rejectEstablishment refuses before there is security: the reject is a hint to A.
func (m *Machine) rejectEstablishment(now time.Time, cause pc5s.Cause, err error) {
	m.sendOnce(now, m.clear(&pc5s.DirectLinkEstablishmentReject{SequenceNumber: m.nextSequence(), Cause: cause}))
	m.fail(&RejectedError{Local: true, Cause: cause, Reason: err.Error()})
}

// receiveModeReject takes a SECURITY MODE REJECT (TS 24.554, 7.2.10.5). An LSB conflict gets a
// new command. In an establishment anyone can send it: so the keys of the command before stay
// good, and whichever complete verifies wins (T11).
func (m *Machine) receiveModeReject(now time.Time, msg *pc5s.DirectLinkSecurityModeReject) error {
	r, cause := m.run, msg.Cause
	if r == nil || r.role != RoleB || len(r.offered) == 0 {
		return DropState
	}
	if slices.Contains(r.rejects, msg.SequenceNumber) {
		return DropRepeated // the command that it refuses has been replaced
	}
	if cause != pc5s.CauseLSBConflict || len(r.offered) >= maxCommands || m.unproved() {
		if !r.rekeying {
			return m.refusedInClear(pc5s.MessageDirectLinkSecurityModeReject, cause)
		}
		m.dropRun()
		m.wish.rekeyAt = now.Add(m.cfg.Timers.RekeyMin)
		m.conclude(now, &RejectedError{Cause: cause})
		return nil
	}
	r.rejects = append(r.rejects, msg.SequenceNumber)
	switch err := m.sendCommand(now); {
	case err == nil:
	case r.rekeying:
		m.dropRun()
		m.conclude(now, err)
	default:
		m.fail(err)
	}
	return nil
}

// unproved tells whether nothing has proved the peer's address yet: it gets one command for its
// request, which was longer, and no second one for a short reject (T34).
func (m *Machine) unproved() bool { return m.run.psk != nil && !m.run.rekeying && !m.proved }

// receiveComplete ends security mode control at B: the peer has now proved the key (TS 24.554,
// 7.2.10.4).
func (m *Machine) receiveComplete(now time.Time, c *securityContext, msg *pc5s.DirectLinkSecurityModeComplete) error {
	if m.run == nil || !slices.Contains(m.run.offered, c) {
		if c == m.ctx && !c.answer.reply.empty() {
			return m.again(now, &c.answer)
		}
		return DropState
	}
	if msg.KNRPIDLSBs != nil {
		c.knrpID |= keys.KNRPID(*msg.KNRPIDLSBs)
	}
	if m.run.rekeying {
		return m.completeRekeying(now, c, msg)
	}
	return m.completeEstablishment(now, c, msg)
}

// completeEstablishment compares the user-plane policies; the accept follows (7.2.2.3).
func (m *Machine) completeEstablishment(now time.Time, c *securityContext, msg *pc5s.DirectLinkSecurityModeComplete) error {
	m.keep(c)
	m.ctx = c
	if x := m.run.psk; x != nil && !m.cfg.Kept.Take(x.kept) { // single use (T72)
		m.rejectComplete(now, pc5s.CauseAuthenticationFailure, "the kept key ended meanwhile: forgotten, or used by another attempt")
		return nil
	}
	resolve := policy.ResolveUserPlane
	if !c.ciphersUserData() {
		resolve = policy.ResolveUserPlaneWithoutCipher
	}
	integrity, ciphering, err := resolve(m.link.UserPlane.Protection, policy.Protection(msg.UserPlanePolicy))
	configuration := pc5s.UserPlaneConfiguration{Integrity: integrity, Ciphering: ciphering}
	if err == nil {
		err = m.link.UserPlane.Permit(integrity) // T56
	}
	if err != nil {
		m.rejectComplete(now, pc5s.CauseSecurityPolicyNotAligned, err.Error())
		return nil
	}
	if m.pin != nil {
		if err := m.enrol(); err != nil {
			m.sendOnce(now, m.protected(&pc5s.DirectLinkEstablishmentReject{SequenceNumber: m.nextSequence(), Cause: pc5s.CauseNotAllowed}))
			m.fail(err)
			return nil
		}
		m.emit(Authenticated{Peer: m.identity, Proof: m.proof, Link: m.link, CertificateEnd: m.certificateEnd})
	}
	if msg.LinkLocal != nil {
		m.peerLocal = netip.AddrFrom16(*msg.LinkLocal)
	}
	c.agreement.UserPlane, c.agreement.UserPlaneRequest = configuration, msg.UserPlanePolicy
	m.keepKey(c)
	m.accept(now, configuration)
	return nil
}

// rejectComplete refuses an authenticated peer, under the new keys.
func (m *Machine) rejectComplete(now time.Time, cause pc5s.Cause, reason string) {
	m.sendOnce(now, m.protected(&pc5s.DirectLinkEstablishmentReject{SequenceNumber: m.nextSequence(), Cause: cause}))
	m.fail(&RejectedError{Local: true, Cause: cause, Reason: reason})
}

// completeRekeying switches: B sends under the new keys from the response on. The policy of the
// user plane is fixed for the life of the link.
func (m *Machine) completeRekeying(now time.Time, c *securityContext, msg *pc5s.DirectLinkSecurityModeComplete) error {
	if msg.UserPlanePolicy != m.agreement.UserPlaneRequest {
		m.failed = fmt.Errorf("peer sent another user-plane policy in a re-keying than at establishment")
		m.release(now, pc5s.CauseProtocolError)
		return nil
	}
	m.keep(c)
	m.switchKeys(c)
	m.keepKey(c)
	response := m.protected(&pc5s.DirectLinkRekeyingResponse{SequenceNumber: m.nextSequence()})
	m.reply(now, &c.answer, nil, response)
	m.rekeyed(now)
	return nil
}

// keep forgets all other contexts of the run.
func (m *Machine) keep(c *securityContext) {
	for _, o := range m.run.offered {
		if o != c {
			m.dropContext(o)
		}
	}
	m.run.offered = []*securityContext{c}
}
