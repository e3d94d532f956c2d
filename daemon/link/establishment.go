package link

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/netip"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// Start sends the establishment request (TS 24.554, 7.2.2.2).
func (m *Machine) Start(now time.Time) error {
	if m.role != RoleA || m.state != Idle {
		return DropState
	}
	var msb [1]byte
	if err := m.draw(m.nonce1[:]); err != nil {
		return err
	}
	for msb[0] == 0 { // 0 would make an all-zero K_NRP-sess ID possible
		if err := m.draw(msb[:]); err != nil {
			return err
		}
	}
	offer := kei.Offer{Methods: []kei.Method{kei.TLS13}}
	nonce := [16]byte(m.nonce1)
	m.parsed = &pc5s.DirectLinkEstablishmentRequest{
		SequenceNumber:       m.nextSequence(),
		SourceUserInfo:       []byte(m.cfg.Auth.Local().Name),
		Capabilities:         capabilities(m.link),
		SecurityPolicy:       pc5s.SecurityPolicy(m.link.Signalling.Protection),
		KeyEstablishmentInfo: offer.AppendTo(nil),
		Nonce1:               &nonce,
		KNRPSessMSB:          &msb[0],
		TargetUserInfo:       []byte(m.link.Peer),
		ProSeIdentifiers:     pc5s.ServiceIdentifier(m.link.Service),
	}
	m.request = pc5s.Marshal(m.parsed)
	m.requestHash = sha256.Sum256(m.request)
	m.setState(Requested)
	m.send(now, m.parsed, underlay.SRB0, pdcp.Clear)
	return nil
}

// draw fills b with random octets. A failing source ends the daemon's attempt, never weakens it.
func (m *Machine) draw(b []byte) error {
	if _, err := io.ReadFull(m.cfg.Rand, b); err != nil {
		return fmt.Errorf("local random source: %w", err)
	}
	return nil
}

// capabilities are the algorithms that A accepts for this link (TS 24.554, 11.3.11); null
// integrity never without allow_null, null ciphering only where ciphering may be off.
func capabilities(l Link) pc5s.Capabilities {
	ciphers := l.Signalling.Ciphers
	if l.Signalling.Ciphering == policy.Required {
		ciphers = withoutNull(ciphers)
	}
	return pc5s.NewCapabilities(ciphers, l.Signalling.Integrities, l.UserPlane.Suites)
}

func withoutNull(in []nea.Ciphering) []nea.Ciphering {
	out := make([]nea.Ciphering, 0, len(in))
	for _, c := range in {
		if c != nea.NEA0 {
			out = append(out, c)
		}
	}
	return out
}

// accept ends B's half (TS 24.554, 7.2.2.3): the accept goes out, then user data may.
func (m *Machine) accept(now time.Time, configuration pc5s.UserPlaneConfiguration) {
	local := m.link.LinkLocal.As16()
	m.sendOnce(now, &pc5s.DirectLinkEstablishmentAccept{
		SequenceNumber:         m.nextSequence(),
		SourceUserInfo:         []byte(m.cfg.Auth.Local().Name),
		QoSFlowDescriptions:    pc5s.DefaultQoS(),
		UserPlane:              configuration,
		IPAddressConfiguration: pc5s.AddressAllocationNotSupported,
		LinkLocal:              &local,
	}, underlay.SRB2, pdcp.Ciphered)
	if m.state != Released {
		m.establish(configuration)
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
	if string(msg.SourceUserInfo) != m.agreement.B.Name {
		return m.refuseAccept(now, fmt.Errorf("peer calls itself %q but authenticated as %q", msg.SourceUserInfo, m.agreement.B.Name))
	}
	if !admits(m.link.UserPlane.Integrity, msg.UserPlane.Integrity) || !admits(m.link.UserPlane.Ciphering, msg.UserPlane.Ciphering) {
		return m.refuseAccept(now, fmt.Errorf("peer chose user-plane integrity %s and ciphering %s against this end's policy", onOff(msg.UserPlane.Integrity), onOff(msg.UserPlane.Ciphering)))
	}
	if err := builtUserPlane(msg.UserPlane); err != nil {
		return m.refuseAccept(now, err)
	}
	if msg.LinkLocal != nil {
		m.peerLocal = netip.AddrFrom16(*msg.LinkLocal)
	}
	m.establish(msg.UserPlane)
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

// builtUserPlane refuses the modes that the user plane cannot carry: the flags of the accept
// are obeyed or there is no link.
func builtUserPlane(c pc5s.UserPlaneConfiguration) error {
	if c.Integrity && c.Ciphering {
		return nil
	}
	return fmt.Errorf("user plane with integrity %s and ciphering %s is not built: set both to required or preferred at both ends", onOff(c.Integrity), onOff(c.Ciphering))
}

// establish makes the user-plane keys, wipes K_NRP-sess and announces the link.
func (m *Machine) establish(configuration pc5s.UserPlaneConfiguration) {
	m.agreement.UserPlane = configuration
	m.emit(m.userPlane())
	m.emit(ActivateUserPlane{Session: m.ctx.session, Local: m.local, Peer: m.peer})
	m.setState(Established)
}

// userPlane derives the record keys of both directions; K_NRP-sess is not needed afterwards.
func (m *Machine) userPlane() InstallUserPlane {
	id, mode := byte(m.ctx.suite), modeOctet(true, true)
	send := keys.DeriveRecordKey(m.ctx.sess, keys.UserPlane, id, mode, m.ctx.direction, m.ctx.suite.KeyLen())
	receive := keys.DeriveRecordKey(m.ctx.sess, keys.UserPlane, id, mode, 1-m.ctx.direction, m.ctx.suite.KeyLen())
	m.ctx.sess.Wipe()
	return InstallUserPlane{
		Link: m.link, Session: m.ctx.session, Local: m.local, Peer: m.peer, Endpoint: m.endpoint,
		PeerLinkLocal: m.peerLocal, Suite: m.ctx.suite, Send: send, Receive: receive, Agreement: m.agreement,
	}
}
