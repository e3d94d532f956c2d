package link

import (
	"fmt"
	"net/netip"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/suite"
	"pc5d/policy"
)

const methodTLS13 = "tls13"

// Start sends the establishment request (TS 24.554, 7.2.2.2). With private identity its user
// info is a pseudonym of this attempt alone and names no target.
func (m *Machine) Start(now time.Time) error {
	defer m.cfg.Invite.Wipe()
	if m.role != RoleA || m.state != Idle {
		return DropState
	}
	if due(m.ownEnd(), now) {
		return ErrOwnCertificateEnd
	}
	r, err := m.request(now)
	if err != nil {
		return err
	}
	m.run = r
	m.setState(Requested)
	m.send(now, m.clear(m.parsed), m.cfg.Timers.T5080)
	return nil
}

// accept ends B's half (TS 24.554, 7.2.2.3). The keys receive before the accept goes out (T54), and
// where the owner finds that another session has the link already, it ends this one without it: what A
// has the accept of is B's link, too (T13).
func (m *Machine) accept(now time.Time, configuration pc5s.UserPlaneConfiguration) {
	local := m.link.LinkLocal.As16()
	m.retry.stop()
	m.emit(m.userPlane(m.ctx))
	m.reply(now, &m.ctx.answer, nil, m.protected(&pc5s.DirectLinkEstablishmentAccept{
		SequenceNumber:         m.nextSequence(),
		SourceUserInfo:         []byte(m.cfg.Auth.Local().Name),
		QoSFlowDescriptions:    pc5s.DefaultQoS(),
		UserPlane:              configuration,
		IPAddressConfiguration: pc5s.AddressAllocationNotSupported,
		LinkLocal:              &local,
	}))
	if m.state != Released {
		m.establish(now)
	}
}

// receiveAccept checks B's answer against this end's own policy before anything passes (T03).
func (m *Machine) receiveAccept(now time.Time, msg *pc5s.DirectLinkEstablishmentAccept) error {
	if m.role != RoleA {
		return DropState
	}
	if m.state == Established {
		return DropRepeated
	}
	if m.state != AwaitAccept {
		return DropState
	}
	if string(msg.SourceUserInfo) != m.identity.Name {
		return m.refuseAccept(now, fmt.Errorf("peer calls itself %q but authenticated as %q", msg.SourceUserInfo, m.identity.Name))
	}
	if !admits(m.link.UserPlane.Integrity, msg.UserPlane.Integrity) || !admits(m.link.UserPlane.Ciphering, msg.UserPlane.Ciphering) {
		return m.refuseAccept(now, fmt.Errorf("peer chose user-plane integrity %s and ciphering %s against this end's policy", onOff(msg.UserPlane.Integrity), onOff(msg.UserPlane.Ciphering)))
	}
	if err := m.link.UserPlane.Permit(msg.UserPlane.Integrity); err != nil { // T56
		return m.refuseAccept(now, err)
	}
	if msg.UserPlane.Ciphering && !m.ctx.ciphersUserData() {
		return m.refuseAccept(now, fmt.Errorf("peer chose user-plane ciphering with %s, which ciphers nothing", m.ctx.ciphering))
	}
	if msg.LinkLocal != nil {
		m.peerLocal = netip.AddrFrom16(*msg.LinkLocal)
	}
	m.ctx.agreement.UserPlane = msg.UserPlane
	m.emit(m.userPlane(m.ctx))
	m.establish(now)
	return nil
}

// receiveReject is B's protected refusal: of A's user-plane policy, or of a kept key that has ended.
func (m *Machine) receiveReject(msg *pc5s.DirectLinkEstablishmentReject) error {
	if m.role != RoleA || m.state != AwaitAccept {
		return DropState
	}
	if m.cfg.Kept != nil {
		m.cfg.Kept.Take(KeptKey{ID: m.ctx.knrpID}) // B keeps no key of this attempt
	}
	m.fail(&RejectedError{Cause: msg.Cause})
	return nil
}

// refuseAccept releases a link whose accept breaks this end's floor (TS 24.554, 7.2.6; cause 111).
func (m *Machine) refuseAccept(now time.Time, err error) error {
	m.failed = err
	m.release(now, pc5s.CauseProtocolError)
	return nil
}

// admits tells whether a user-plane flag fits this end's requirement.
func admits(r policy.Requirement, on bool) bool {
	return !(r == policy.Required && !on) && !(r == policy.NotNeeded && on)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// modeOf is how records are protected where the accept has these flags: they are obeyed as they are
// (TS 24.554, 11.3.18).
func modeOf(c pc5s.UserPlaneConfiguration) suite.Mode {
	switch {
	case c.Integrity && c.Ciphering:
		return suite.AEAD
	case c.Integrity:
		return suite.IntegrityOnly
	case c.Ciphering:
		return suite.CipheringOnly
	}
	return suite.Unprotected
}

// establish activates the user-plane keys and announces the link.
func (m *Machine) establish(now time.Time) {
	m.agreement = m.ctx.agreement
	m.emit(ActivateUserPlane{m.ctx.names[0]})
	m.emit(Agreed{Agreement: m.agreement, Endpoint: m.endpoint, Authenticated: m.authenticated})
	m.run.psk.wipe()
	m.run = nil
	m.setState(Established)
	m.wish.rekeyAt = now.Add(m.cfg.Timers.RekeyMin)
	m.rest(now)
	m.schedulePrivacy(now)
}

// userPlane derives the keys of user data; K_NRP-sess is not needed afterwards. Records have keys of their
// own, the standard form those of signalling, where BEARER is another one (TS 33.536, 5.3.3.1.2.1; T51).
func (m *Machine) userPlane(c *securityContext) InstallUserPlane {
	id, mode := byte(c.suite), modeOf(c.agreement.UserPlane)
	e := InstallUserPlane{
		Name: c.names[0], Link: m.link, Endpoint: m.endpoint, PeerLinkLocal: m.peerLocal,
		Suite: c.suite, Mode: mode, Direction: c.direction, Agreement: c.agreement,
	}
	if c.suite == suite.None {
		e.NRPEK, e.NRPIK = keys.DeriveNRPEK(c.sess, c.ciphering), keys.DeriveNRPIK(c.sess, c.integrity)
	} else {
		e.Send = keys.DeriveRecordKey(c.sess, keys.UserPlane, id, mode.Octet(), c.direction, c.suite.KeyLen())
		e.Receive = keys.DeriveRecordKey(c.sess, keys.UserPlane, id, mode.Octet(), 1-c.direction, c.suite.KeyLen())
	}
	c.sess.Wipe()
	return e
}
