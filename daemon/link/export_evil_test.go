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

// evilContext is the newest context, also of a run that has not come to its end.
func (m *Machine) evilContext() *securityContext {
	all := m.contexts()
	return all[len(all)-1]
}

// SendProtected sends any message under the link's keys, whatever the state.
func (m *Machine) SendProtected(msg pc5s.Message, bearer underlay.LCID) {
	m.transmit(outgoing{message: pc5s.Marshal(msg), kind: msg.Type(), bearer: bearer, ciphering: pdcp.Ciphered, ctx: m.evilContext()})
}

// SendCommand sends a second security mode command that was changed first, under keys that fit
// what it says. A choice that nobody can make keys for goes out under those of the first choice.
func (m *Machine) SendCommand(now time.Time, change func(*pc5s.DirectLinkSecurityModeCommand)) error {
	r, first := m.run, m.evilContext()
	nonce2, id, chosen := [16]byte{0xE1}, uint16(1), first.suite
	lsb, err := m.drawLSB(r)
	if err != nil {
		return err
	}
	c := &pc5s.DirectLinkSecurityModeCommand{
		SequenceNumber: m.nextSequence(), Selected: pc5s.SelectedAlgorithms{Ciphering: first.ciphering, Integrity: first.integrity},
		Capabilities: bytes.Clone(r.capabilities), SecurityPolicy: r.policy,
		Nonce2: &nonce2, KNRPSessLSB: &lsb, KNRPIDMSBs: &id, UserPlaneSuite: &chosen,
	}
	change(c)
	p := contextParameters{
		name: Name{Local: m.local, Peer: m.peer, Session: keys.NewSessionID(r.msb, lsb)}, direction: 1,
		ciphering: c.Selected.Ciphering, integrity: c.Selected.Integrity, nonce1: r.nonce1, nonce2: nonce2,
	}
	if c.UserPlaneSuite != nil && suite.Built(*c.UserPlaneSuite) {
		p.suite = *c.UserPlaneSuite
	}
	knrp, err := m.knrp(r, m.ownBasis())
	if err != nil {
		return err
	}
	ctx, err := newSecurityContext(now, knrp, p)
	if err != nil {
		p.ciphering, p.integrity = nea.NEA2, nea.NIA2
		if ctx, err = newSecurityContext(now, knrp, p); err != nil {
			return err
		}
	}
	m.agree(r, ctx)
	r.offered = append(r.offered, ctx)
	m.transmit(m.onSRB1(c, ctx, pdcp.Clear))
	return nil
}

// Hear opens a datagram on SL-SRB2, and changes nothing else.
func (m *Machine) Hear(datagram []byte) (pc5s.Message, error) {
	sdu, err := m.evilContext().opener.Open(datagram)
	if err != nil {
		return nil, err
	}
	return pc5s.Parse(sdu)
}
