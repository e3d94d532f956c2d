package link

import (
	"bytes"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

// What follows makes a peer that holds its keys and breaks the rules. Tests only.

// SendProtected sends any message under the link's keys, whatever the state.
func (m *Machine) SendProtected(now time.Time, msg pc5s.Message, bearer underlay.LCID) {
	m.sendOnce(now, msg, bearer, pdcp.Ciphered)
}

// SendCommand sends a second security mode command that was changed first, under keys that fit
// what it says. A choice that nobody can make keys for goes out under those of the first command.
func (m *Machine) SendCommand(now time.Time, change func(*pc5s.DirectLinkSecurityModeCommand)) error {
	nonce, lsb, id, err := m.drawCommand()
	if err != nil {
		return err
	}
	chosen, nonce2 := m.agreement.Suite, [16]byte(nonce)
	c := &pc5s.DirectLinkSecurityModeCommand{
		SequenceNumber: m.nextSequence(), Selected: pc5s.SelectedAlgorithms{Ciphering: m.agreement.Ciphering, Integrity: m.agreement.Integrity},
		Capabilities: bytes.Clone(m.parsed.Capabilities), SecurityPolicy: m.parsed.SecurityPolicy,
		Nonce2: &nonce2, KNRPSessLSB: &lsb, KNRPIDMSBs: &id, UserPlaneSuite: &chosen,
	}
	change(c)
	p := contextParameters{
		session: keys.NewSessionID(*m.parsed.KNRPSessMSB, lsb), direction: 1, ciphering: c.Selected.Ciphering,
		integrity: c.Selected.Integrity, nonce1: m.nonce1, nonce2: nonce,
	}
	if c.UserPlaneSuite != nil && suite.Built(*c.UserPlaneSuite) {
		p.suite = *c.UserPlaneSuite
	}
	ctx, err := m.derive(m.auth.handshake.Peer(), m.cfg.Auth.Local(), p)
	if err != nil {
		p.ciphering, p.integrity = nea.NEA2, nea.NIA2
		if ctx, err = m.derive(m.auth.handshake.Peer(), m.cfg.Auth.Local(), p); err != nil {
			return err
		}
	}
	m.ctx = ctx
	m.sendOnce(now, c, underlay.SRB1, pdcp.Clear)
	return nil
}

// Hear opens a datagram on SL-SRB2, and changes nothing else.
func (m *Machine) Hear(datagram []byte) (pc5s.Message, error) {
	sdu, err := m.ctx.opener.Open(datagram)
	if err != nil {
		return nil, err
	}
	return pc5s.Parse(sdu)
}
