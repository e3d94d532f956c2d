package sim

import (
	"bytes"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

// evilLayerTwo is the L2 ID of every evil responder.
const evilLayerTwo underlay.LayerTwoID = 0x00E711

// challenge answers a request by a cookie.
func (e *EvilPeer) challenge(h underlay.Header, m *pc5s.DirectLinkEstablishmentRequest, sdu []byte) {
	e.begin(&session{role: link.RoleB, local: evilLayerTwo, peer: h.Source, request: bytes.Clone(sdu), parsed: m, tag: kei.Tag(sdu)})
	c := kei.Container{Method: kei.TLS13, Start: true, Tag: e.session.tag, HasCookie: true, Cookie: []byte("evil")}
	reply := underlay.Header{Destination: h.Source, Source: underlay.Broadcast}
	e.say(e.peer, reply, &pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: c.AppendTo(nil)})
}

// respond takes UE_A's flights: the first is answered by the server's, the last by the command.
func (e *EvilPeer) respond(h underlay.Header, m *pc5s.DirectLinkAuthenticationResponse) {
	c, err := kei.Parse(m.KeyEstablishmentInfo)
	if err != nil || e.session == nil || e.session.role != link.RoleB || h.Source != e.session.peer {
		return
	}
	s := e.session
	if s.handshake == nil {
		if s.handshake, err = e.auth.Respond(); err != nil {
			return
		}
	}
	if s.handshake.Complete() {
		return // a repeated one
	}
	reply, err := s.handshake.Feed(c.Fragment)
	switch {
	case err != nil:
	case s.handshake.Complete():
		e.command()
	default:
		e.fly(reply, func(b []byte) pc5s.Message { return &pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: b} }, 1)
	}
}

// fly sends a flight in one container.
func (e *EvilPeer) fly(flight []byte, message func([]byte) pc5s.Message, exchange uint8) {
	if e.Flight != nil {
		if flight = e.Flight(flight); flight == nil {
			return
		}
	}
	out := kei.NewOutgoing(flight)
	c := kei.Container{Method: kei.TLS13, Tag: e.session.tag, Exchange: exchange}
	out.Fill(&c)
	e.say(e.peer, e.header(underlay.SRB0), message(c.AppendTo(nil)))
}

// command sends the security mode command, under the keys that go with what it says.
func (e *EvilPeer) command() {
	s := e.session
	lsb, chosen, nonce2 := byte(7), suite.AES128GCM, [16]byte{2}
	m := &pc5s.DirectLinkSecurityModeCommand{
		Selected:     pc5s.SelectedAlgorithms{Ciphering: nea.NEA2, Integrity: nea.NIA2},
		Capabilities: s.parsed.Capabilities, SecurityPolicy: s.parsed.SecurityPolicy, Nonce2: &nonce2, KNRPSessLSB: &lsb, UserPlaneSuite: &chosen,
	}
	if s.psk != nil {
		m.KeyEstablishmentInfo = e.container()
	}
	if e.Command != nil {
		e.Command(m)
	}
	if m.UserPlaneSuite == nil {
		chosen = suite.None
	}
	id := uint16(*s.parsed.KNRPSessMSB)<<8 | uint16(lsb)
	if !e.derive(m.Selected, chosen, nonce2, id) {
		return
	}
	datagram, err := s.srb1.Seal(e.header(underlay.SRB1).AppendTo(nil), pc5s.Marshal(m), pdcp.Clear)
	if err == nil {
		e.send(e.peer, datagram)
	}
}

// accept ends the establishment.
func (e *EvilPeer) accept() {
	m := &pc5s.DirectLinkEstablishmentAccept{
		SourceUserInfo: []byte(e.auth.Local().Name), QoSFlowDescriptions: pc5s.DefaultQoS(),
		UserPlane: pc5s.UserPlaneConfiguration{Integrity: true, Ciphering: true}, IPAddressConfiguration: pc5s.AddressAllocationNotSupported,
	}
	if e.Accept != nil {
		e.Accept(m)
	}
	if e.Silent || e.session.sealer == nil {
		return
	}
	h := e.header(underlay.SRB2)
	h.Form = underlay.FormRecord
	if datagram, err := e.session.sealer.Seal(nil, h, pc5s.Marshal(m)); err == nil {
		e.send(e.peer, datagram)
	}
}
