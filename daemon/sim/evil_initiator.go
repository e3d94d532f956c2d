package sim

import (
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// Call starts an establishment with a host; n tells several apart.
func (e *EvilPeer) Call(to *Host, n uint8) {
	nonce, msb := [16]byte{1, n}, byte(9)
	m := &pc5s.DirectLinkEstablishmentRequest{
		SourceUserInfo: []byte(e.auth.Local().Name), TargetUserInfo: []byte(to.Name), Nonce1: &nonce, KNRPSessMSB: &msb,
		Capabilities:         pc5s.NewCapabilities([]nea.Ciphering{nea.NEA2}, []nea.Integrity{nea.NIA2}, []suite.ID{suite.AES128GCM}),
		SecurityPolicy:       pc5s.SecurityPolicy{Integrity: policy.Required, Ciphering: policy.Required},
		KeyEstablishmentInfo: (&kei.Offer{Methods: []kei.Method{kei.TLS13}}).AppendTo(nil), ProSeIdentifiers: pc5s.ServiceIdentifier("ip"),
	}
	var x *exchange
	switch {
	case e.Shared != nil:
		x = e.offerShared(to, m)
	case e.Request != nil:
		e.Request(m)
	}
	request := pc5s.Marshal(m)
	e.begin(&session{role: link.RoleA, local: 0x00E700 + underlay.LayerTwoID(n), peer: underlay.Broadcast, request: request, parsed: m, tag: kei.Tag(request), psk: x})
	e.say(to, e.header(underlay.SRB0), m)
}

// answer takes UE_B's flights: its cookie is brought back with the first flight.
func (e *EvilPeer) answer(h underlay.Header, m *pc5s.DirectLinkAuthenticationRequest) {
	c, err := kei.Parse(m.KeyEstablishmentInfo)
	s := e.session
	if err != nil || s == nil || s.role != link.RoleA || c.Tag != s.tag {
		return
	}
	response := func(b []byte) pc5s.Message { return &pc5s.DirectLinkAuthenticationResponse{KeyEstablishmentInfo: b} }
	if !c.Start {
		s.peer = h.Source
		if s.handshake == nil || s.handshake.Complete() {
			return
		}
		if reply, err := s.handshake.Feed(c.Fragment); err == nil {
			e.fly(reply, response, c.Exchange)
		}
		return
	}
	if s.handshake != nil {
		return
	}
	if c.Method == kei.PSKDHE {
		r := kei.Container{Method: kei.PSKDHE, Tag: s.tag, AckOnly: true, HasCookie: true, Cookie: c.Cookie, HasRequest: true, Request: s.request}
		e.say(e.peer, e.header(underlay.SRB0), response(r.AppendTo(nil)))
		return
	}
	s.psk = nil // the other end wants a full authentication
	if s.handshake, err = e.auth.Initiate(e.peer.Name, []policy.Fingerprint{e.peer.Peer().Fingerprint}); err != nil {
		return
	}
	flight, err := s.handshake.Feed(nil)
	if err != nil {
		return
	}
	out := kei.NewOutgoing(flight)
	r := kei.Container{Method: kei.TLS13, Tag: s.tag, HasCookie: true, Cookie: c.Cookie, HasRequest: true, Request: s.request}
	out.Fill(&r)
	e.say(e.peer, e.header(underlay.SRB0), response(r.AppendTo(nil)))
}

// receiveCommand believes the command and completes.
func (e *EvilPeer) receiveCommand(source underlay.LayerTwoID, pdu []byte) {
	s := e.session
	sdu, err := pdcp.PeekClear(pdu)
	if err != nil || s.srb1 != nil || s.psk == nil && (s.handshake == nil || !s.handshake.Complete()) {
		return
	}
	m, err := pc5s.Parse(sdu)
	if err != nil {
		return
	}
	c, ok := m.(*pc5s.DirectLinkSecurityModeCommand)
	_, id, err := pdcp.ParseHeader(pdu)
	if !ok || err != nil || c.Nonce2 == nil || c.UserPlaneSuite == nil {
		return
	}
	if s.psk != nil {
		answered, err := kei.ParseCommand(c.KeyEstablishmentInfo)
		if err != nil {
			return
		}
		s.psk.e2, s.peer = answered.Share, source
	}
	if !e.derive(c.Selected, *c.UserPlaneSuite, *c.Nonce2, id) {
		return
	}
	if _, err := s.srb1.Open(pdu, pdcp.Clear); err != nil {
		return
	}
	e.Got[c.Type()]++
	complete := &pc5s.DirectLinkSecurityModeComplete{
		QoSFlowDescriptions: pc5s.DefaultQoS(), IPAddressConfiguration: pc5s.AddressAllocationNotSupported,
		UserPlanePolicy: pc5s.SecurityPolicy{Integrity: policy.Required, Ciphering: policy.Required},
	}
	if c.KNRPIDMSBs != nil {
		lsbs := uint16(0xE711)
		complete.KNRPIDLSBs = &lsbs
		e.Kept.ID = keys.KNRPID(*c.KNRPIDMSBs)<<16 | keys.KNRPID(lsbs)
	}
	if e.Complete != nil {
		e.Complete(complete)
	}
	if e.Silent {
		return
	}
	if datagram, err := s.srb1.Seal(e.header(underlay.SRB1).AppendTo(nil), pc5s.Marshal(complete), pdcp.Ciphered); err == nil {
		e.send(e.peer, datagram)
	}
}
