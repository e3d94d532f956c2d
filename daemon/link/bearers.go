package link

import (
	"net/netip"
	"slices"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

// arrival is one datagram on its way through the machine. Nothing in it is believed before a MAC
// verified.
type arrival struct {
	now      time.Time
	from     netip.AddrPort
	h        underlay.Header
	datagram []byte
	pdu      []byte
	ctx      *securityContext // that verified it
	count    uint64           // its COUNT there
	rekeyed  bool             // it ended a re-keying of this end: it verified under the new keys
}

// Receive takes one datagram from the network. An error is a Drop.
func (m *Machine) Receive(now time.Time, from netip.AddrPort, datagram []byte) error {
	if m.state == Released {
		return DropState
	}
	h, pdu, err := underlay.Parse(datagram)
	if err != nil {
		return DropMalformed
	}
	err = m.dispatch(arrival{now: now, from: from, h: h, datagram: datagram, pdu: pdu})
	m.settle(now)
	return err
}

func (m *Machine) dispatch(in arrival) error {
	switch {
	case in.h.Form == underlay.FormHint:
		return m.receiveHint(in)
	case in.h.LCID == underlay.SRB0 && in.h.Form == underlay.FormPDCP:
		return m.receiveClear(in)
	case in.h.LCID == underlay.SRB1 && in.h.Form == underlay.FormPDCP:
		return m.receiveSRB1(in)
	case in.h.LCID == underlay.SRB2:
		return m.receiveSRB2(in)
	}
	return DropForm
}

// settle does what the input made due: once for all inputs, at their end.
func (m *Machine) settle(now time.Time) {
	m.advanceKeys(now)
	m.startNext(now)
}

// taking records a message for people once it was taken.
func (m *Machine) taking(e Exchanged, take func() error) error {
	before := len(m.out)
	if err := take(); err != nil {
		return err
	}
	m.out = slices.Insert(m.out, before, Effect(e))
	return nil
}

// receiveClear takes a message that nothing protects: it can only be part of the first steps.
func (m *Machine) receiveClear(in arrival) error {
	if m.state >= Established {
		return DropState // everything that is said about a link is protected (T06)
	}
	if in.from != m.endpoint || in.h.Destination != m.local {
		return DropNotForUs
	}
	_, sdu, err := pdcp.ParseUnprotected(in.pdu)
	if err != nil {
		return DropMalformed
	}
	msg, err := pc5s.Parse(sdu)
	if err != nil {
		return DropMalformed
	}
	e := Exchanged{Message: msg.Type(), Bearer: underlay.SRB0, Protection: "none", Octets: len(in.datagram)}
	return m.taking(e, func() error { return m.handleClear(in.now, in.h, msg) })
}

// receiveSRB1 takes the two messages of security mode control.
func (m *Machine) receiveSRB1(in arrival) error {
	_, session, err := pdcp.ParseHeader(in.pdu)
	if err != nil {
		return DropMalformed
	}
	n := Name{Local: in.h.Destination, Peer: in.h.Source, Session: keys.SessionID(session)}
	c := m.named(n)
	if c == nil {
		return m.receiveCommandPDU(in, n.Session)
	}
	ciphering := pdcp.Clear
	if c.ours() {
		ciphering = pdcp.Ciphered
	}
	sdu, err := m.open(in.now, c, func() ([]byte, error) { return c.srb1.Open(in.pdu, ciphering) })
	if err != nil {
		return err
	}
	msg, err := pc5s.Parse(sdu)
	if err != nil {
		return DropMalformed
	}
	e := Exchanged{Message: msg.Type(), Bearer: underlay.SRB1, Protection: c.protection(underlay.SRB1, ciphering), Octets: len(in.datagram)}
	return m.taking(e, func() error {
		switch msg := msg.(type) {
		case *pc5s.DirectLinkSecurityModeCommand:
			return m.repeatComplete(in.now, c)
		case *pc5s.DirectLinkSecurityModeComplete:
			if c.ours() {
				return m.receiveComplete(in.now, c, msg)
			}
		}
		return DropForm
	})
}

// repeatComplete answers a repeated command, until B's next message showed that it has the
// complete.
func (m *Machine) repeatComplete(now time.Time, c *securityContext) error {
	if c.ours() {
		return DropForm
	}
	if c == m.ctx && (m.state == AwaitAccept || m.procedure == RekeyingA) {
		return m.repeat(now)
	}
	return DropRepeated
}

// receiveSRB2 takes every other protected message.
func (m *Machine) receiveSRB2(in arrival) error {
	n, err := nameOf(in)
	if err != nil {
		return DropMalformed
	}
	c := m.named(n)
	if c == nil {
		return DropUnknownKey
	}
	var sdu []byte
	switch {
	case c.suite == suite.None && in.h.Form == underlay.FormPDCP:
		sdu, err = m.open(in.now, c, func() ([]byte, error) { return c.srb2.Open(in.pdu, pdcp.Ciphered) })
	case c.suite != suite.None && in.h.Form == underlay.FormRecord:
		sdu, err = m.openRecord(c, in.datagram)
	default:
		return DropForm
	}
	if err != nil {
		return err
	}
	msg, err := pc5s.Parse(sdu)
	if err != nil {
		return DropMalformed
	}
	in.ctx, in.count = c, c.lastCount(in)
	if n == m.update.next && m.procedure == UpdateTarget {
		m.acknowledged(in.now, in)
	}
	if c == m.ctx && n == c.names[0] && m.update.follow {
		m.follow(in)
	}
	m.heardFrom(in)
	if c == m.ctx && m.procedure == RekeyingA && len(m.run.offered) > 0 {
		m.rekeyed(in.now) // B sends under the new keys: it has the complete
		in.rekeyed = true
	}
	e := Exchanged{Message: msg.Type(), Bearer: in.h.LCID, Protection: c.protection(in.h.LCID, pdcp.Ciphered), Octets: len(in.datagram)}
	return m.taking(e, func() error { return m.handleProtected(in, sdu, msg) })
}

// late tells whether a message of a procedure was overtaken: its sender has gone on to another
// one since, or to other keys. The delayed copy of a request that its sender has given up must
// not start what nobody would end.
func (in *arrival) late(sending *securityContext) bool {
	return in.ctx != sending || in.count < in.ctx.latest
}

// handleProcedure gives a message to one of the procedures of which one runs at a time.
func (m *Machine) handleProcedure(in arrival, raw []byte, msg pc5s.Message) error {
	switch msg := msg.(type) {
	case *pc5s.DirectLinkModificationRequest:
		return m.receiveModificationRequest(in.now, raw, msg)
	case *pc5s.DirectLinkModificationAccept:
		return m.receiveModificationAccept(in.now, raw)
	case *pc5s.DirectLinkModificationReject:
		return m.receiveModificationReject(in.now, raw, msg)
	case *pc5s.DirectLinkRekeyingRequest:
		return m.receiveRekeyingRequest(in.now, raw, msg)
	case *pc5s.DirectLinkRekeyingResponse:
		if !in.rekeyed {
			return DropRepeated
		}
		return nil // that it verified under the new keys has said it all
	case *pc5s.DirectLinkSecurityModeReject:
		if m.run != nil && m.run.rekeying {
			return m.receiveModeReject(in.now, msg)
		}
	case *pc5s.DirectLinkIdentifierUpdateRequest:
		return m.receiveUpdateRequest(in.now, raw, msg)
	case *pc5s.DirectLinkIdentifierUpdateAccept:
		return m.receiveUpdateAccept(in.now, raw, msg)
	case *pc5s.DirectLinkIdentifierUpdateAck:
		return m.receiveUpdateAck(in.now, in, msg)
	case *pc5s.DirectLinkIdentifierUpdateReject:
		return m.receiveUpdateReject(in.now, raw, msg)
	}
	return DropState
}
