package link

import (
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

// What an evil peer does: it owns a machine with valid credentials, and speaks by its keys what
// the machine would never say.

// Clear makes the datagram of an unprotected message from m to its peer.
func (m *Machine) Clear(msg pc5s.Message) []byte {
	h := underlay.Header{Form: underlay.FormPDCP, Destination: m.peer, Source: m.local, LCID: underlay.SRB0}
	return pdcp.AppendUnprotected(h.AppendTo(nil), 0, pc5s.Marshal(msg))
}

// newest is the context with the newest keys that m has.
func (m *Machine) newest() *securityContext {
	if m.run != nil && len(m.run.offered) > 0 {
		return m.run.offered[len(m.run.offered)-1]
	}
	return m.ctx
}

// Speak protects a message of SL-SRB2 by the keys that m sends under.
func (m *Machine) Speak(msg pc5s.Message) []byte { return m.Utter(pc5s.Marshal(msg), m.ctx) }

// SpeakNewest does so by the newest keys, which may be offered only.
func (m *Machine) SpeakNewest(msg pc5s.Message) []byte { return m.Utter(pc5s.Marshal(msg), m.newest()) }

// SpeakOld does so by the keys before the last re-keying.
func (m *Machine) SpeakOld(msg pc5s.Message) []byte { return m.Utter(pc5s.Marshal(msg), m.old) }

// Babble protects octets that need not be a message, by the keys that send.
func (m *Machine) Babble(sdu []byte) []byte { return m.Utter(sdu, m.ctx) }

// Utter protects octets by a context; nil where there is none.
func (m *Machine) Utter(sdu []byte, c *securityContext) []byte {
	if c == nil || c.dead {
		return nil
	}
	return m.sealed(outgoing{message: sdu, bearer: underlay.SRB2, ctx: c})
}

// SpeakSRB1 protects a message of SL-SRB1 by the newest keys of m.
func (m *Machine) SpeakSRB1(msg pc5s.Message) []byte {
	c := m.newest()
	if c == nil || c.dead {
		return nil
	}
	o := m.onSRB1(msg, c, pdcp.Ciphered)
	if c.ours() {
		o.ciphering = pdcp.Clear
	}
	return m.sealed(o)
}

func (m *Machine) sealed(o outgoing) []byte {
	n := o.ctx.names[0]
	datagram, err := o.ctx.seal(underlay.Header{Form: underlay.FormPDCP, Destination: n.Peer, Source: n.Local, LCID: o.bearer}, o)
	if err != nil {
		return nil
	}
	return datagram
}

// Again protects the last message of m anew, if it is of this type.
func (m *Machine) Again(t pc5s.MessageType) []byte {
	switch o := m.retry.last; {
	case o.kind != t:
		return nil
	case o.bearer == underlay.SRB0:
		h := underlay.Header{Form: underlay.FormPDCP, Destination: m.peer, Source: m.local, LCID: underlay.SRB0}
		return pdcp.AppendUnprotected(h.AppendTo(nil), 0, o.message)
	case o.ctx == nil || o.ctx.dead:
		return nil
	default:
		return m.sealed(o)
	}
}

// CommandWith makes the command of a run at B once more, altered before its protection: keys and
// MAC-I are right for what it says.
func (m *Machine) CommandWith(now time.Time, alter func(*pc5s.DirectLinkSecurityModeCommand)) ([]byte, error) {
	r := m.run
	selected, chosen, err := m.choose(r)
	if err != nil {
		return nil, err
	}
	var nonce2 [16]byte
	if err := m.draw(nonce2[:]); err != nil {
		return nil, err
	}
	lsb, err := m.drawLSB(r)
	if err != nil {
		return nil, err
	}
	msg := &pc5s.DirectLinkSecurityModeCommand{
		SequenceNumber: m.nextSequence(), Selected: selected, Capabilities: append(pc5s.Capabilities(nil), r.capabilities...),
		SecurityPolicy: r.policy, Nonce2: &nonce2, KNRPSessLSB: &lsb, UserPlaneSuite: &chosen,
	}
	if r.rekeying {
		msg.KeyEstablishmentInfo = (&kei.Command{Tag: kei.Tag(r.request), Share: r.psk.shareB}).AppendTo(nil)
	}
	alter(msg)
	knrp, err := m.knrp(r, m.ownBasis())
	if err != nil {
		return nil, err
	}
	integrity := msg.Selected.Integrity
	s := suiteOf(msg)
	if s != suite.None && !suite.Built(s) {
		s = suite.None
	}
	c, err := newSecurityContext(now, knrp, contextParameters{
		name: Name{Local: m.local, Peer: m.peer, Session: keys.NewSessionID(r.msb, *msg.KNRPSessLSB)}, direction: 1,
		ciphering: msg.Selected.Ciphering, integrity: integrity, suite: s, nonce1: r.nonce1, nonce2: *msg.Nonce2,
	})
	if integrity == nea.NIA0 { // no MAC: four zero octets
		h := underlay.Header{Form: underlay.FormPDCP, Destination: m.peer, Source: m.local, LCID: underlay.SRB1}
		d := append(h.AppendTo(nil), 0, 0, r.msb, *msg.KNRPSessLSB)
		return append(append(d, pc5s.Marshal(msg)...), 0, 0, 0, 0), nil
	}
	if err != nil {
		return nil, err
	}
	r.offered = append(r.offered, c)
	return m.sealed(m.onSRB1(msg, c, pdcp.Clear)), nil
}

// RekeyingRequestOf makes a fitting re-keying request of a peer that has no run under way.
func (m *Machine) RekeyingRequestOf() (*pc5s.DirectLinkRekeyingRequest, error) {
	return m.RekeyingRequestWith(capabilities(m.link))
}

// RekeyingRequestWith makes one with other capabilities; its binder is right.
func (m *Machine) RekeyingRequestWith(c pc5s.Capabilities) (*pc5s.DirectLinkRekeyingRequest, error) {
	x, err := pskdhe.New()
	if err != nil {
		return nil, err
	}
	r := &securityRun{role: RoleA, rekeying: true, psk: &exchange{mine: x, psk: m.ctx.kept.Secret, borrowed: true, shareA: x.Share()}, capabilities: c}
	if err := m.drawRequest(r); err != nil {
		return nil, err
	}
	octets, err := m.rekeyingRequest(r)
	if err != nil {
		return nil, err
	}
	msg, err := pc5s.Parse(octets)
	if err != nil {
		return nil, err
	}
	return msg.(*pc5s.DirectLinkRekeyingRequest), nil
}

// UpdateUnderWay is what m knows of an identifier update: its own new L2 ID and half as the one
// who starts it, the name that it expects as the one who answers.
func (m *Machine) UpdateUnderWay() (local underlay.LayerTwoID, msb uint8, next Name) {
	return m.update.local, m.update.msb, m.update.next
}

// KeepAliveCounter is the counter of the next keep-alive request, or of the one outstanding.
func (m *Machine) KeepAliveCounter() uint32 { return m.alive.counter }

// AskAlive sends a keep-alive request.
func (m *Machine) AskAlive(now time.Time) { m.requestKeepAlive(now) }

// Kept is what a machine holds in memory that grows: effects not pulled, contexts, names.
func (m *Machine) Kept() (effects, contexts, names int) {
	for _, c := range m.contexts() {
		contexts++
		names += len(c.names)
	}
	return len(m.out), contexts, names
}

// RequestTag is the conversation tag of the request under way.
func (m *Machine) RequestTag() [8]byte { return kei.Tag(m.run.request) }

// Read opens a datagram of SL-SRB2 or a complete by the newest keys of m, as the owner of these
// keys can.
func (m *Machine) Read(datagram []byte) (pc5s.Message, []byte, error) {
	h, pdu, err := underlay.Parse(datagram)
	if err != nil {
		return nil, nil, err
	}
	c := m.newest()
	var sdu []byte
	switch {
	case h.LCID == underlay.SRB1:
		sdu, err = c.srb1.Open(pdu, pdcp.Ciphered)
	case c.suite == suite.None:
		sdu, err = c.srb2.Open(pdu, pdcp.Ciphered)
	default:
		sdu, err = c.opener.Open(datagram)
	}
	if err != nil {
		return nil, nil, err
	}
	msg, err := pc5s.Parse(sdu)
	return msg, sdu, err
}

// Sent is the establishment request of this attempt.
func (m *Machine) Sent() *pc5s.DirectLinkEstablishmentRequest { return m.parsed }

// Plain is the last message of this type that m sent, before its protection.
func (m *Machine) Plain(t pc5s.MessageType) []byte {
	if m.ctx != nil && m.ctx.answer.reply.kind == t {
		return m.ctx.answer.reply.message
	}
	if m.retry.last.kind == t {
		return m.retry.last.message
	}
	return nil
}

// KeysOf names the keys that protected a datagram of m; nil where nothing does, or they are gone.
func (m *Machine) KeysOf(datagram []byte) any {
	h, pdu, err := underlay.Parse(datagram)
	if err != nil || h.LCID == underlay.SRB0 {
		return nil
	}
	n, err := nameOf(arrival{h: underlay.Header{Form: h.Form, Destination: h.Source, Source: h.Destination}, datagram: datagram, pdu: pdu})
	if err != nil {
		return nil
	}
	if c := m.named(n); c != nil {
		return c
	}
	return nil
}

// Provisioned is what m knows of its link, for a test to change.
func (m *Machine) Provisioned() *Link { return &m.link }

// Meet gives m other neighbours from now on.
func (m *Machine) Meet(i Identifiers) { m.cfg.Identifiers = i }

// Opens tells whether a key, taken for K_NRP, opens a recorded datagram of a context whose public
// values are known: what a thief of keys tries. It opens with every bearer and in both directions.
func Opens(knrp keys.KNRP, n Name, s suite.ID, nonce1, nonce2 keys.Nonce, datagram []byte) bool {
	h, pdu, err := underlay.Parse(datagram)
	if err != nil {
		return false
	}
	for direction := range uint8(2) {
		c, err := newSecurityContext(time.Time{}, knrp, contextParameters{
			name: n, direction: direction, ciphering: nea.NEA2, integrity: nea.NIA2, suite: s, nonce1: nonce1, nonce2: nonce2,
		})
		if err != nil {
			return false
		}
		defer c.wipe()
		switch {
		case h.Form == underlay.FormRecord:
			_, err = c.opener.Open(datagram)
		case h.LCID == underlay.SRB1:
			if _, err = c.srb1.Open(pdu, pdcp.Clear); err != nil {
				_, err = c.srb1.Open(pdu, pdcp.Ciphered)
			}
		default:
			continue
		}
		if err == nil {
			return true
		}
	}
	return false
}

// FullAuthentication is when the peer was authenticated in full.
func (m *Machine) FullAuthentication() time.Time { return m.authenticated }
