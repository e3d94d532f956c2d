package sim

import (
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/underlay"
)

// clearMessage is the PC5-S message of a datagram that nothing protects; nil if it is none.
func clearMessage(d Datagram) (underlay.Header, pc5s.Message) {
	h, pdu, err := underlay.Parse(d.Octets)
	if err != nil || h.Form != underlay.FormPDCP || h.LCID != underlay.SRB0 {
		return h, nil
	}
	_, sdu, err := pdcp.ParseUnprotected(pdu)
	if err != nil {
		return h, nil
	}
	m, err := pc5s.Parse(sdu)
	if err != nil {
		return h, nil
	}
	return h, m
}

// inClear puts a message into a datagram on SL-SRB0 that goes the way of another.
func inClear(way Datagram, h underlay.Header, m pc5s.Message) Datagram {
	h.Form, h.LCID = underlay.FormPDCP, underlay.SRB0
	way.Octets = pdcp.AppendUnprotected(h.AppendTo(nil), 0, pc5s.Marshal(m))
	return way
}

// Negatives are the refusals that anyone can forge, in the direction of a datagram (T11).
func (a *Attacker) Negatives(d Datagram) []Datagram {
	h, _, err := underlay.Parse(d.Octets)
	if err != nil {
		return nil
	}
	failure := kei.Container{Method: kei.TLS13, Failure: true, Tag: a.tag(d)}
	var forged []Datagram
	for _, m := range []pc5s.Message{
		&pc5s.DirectLinkEstablishmentReject{Cause: pc5s.CauseNotAllowed},
		&pc5s.DirectLinkEstablishmentReject{Cause: pc5s.CauseLayer2IDConflict},
		&pc5s.DirectLinkAuthenticationReject{Cause: pc5s.CauseAuthenticationFailure},
		&pc5s.DirectLinkAuthenticationFailure{KeyEstablishmentInfo: failure.AppendTo(nil)},
		&pc5s.DirectLinkSecurityModeReject{Cause: pc5s.CauseIntegrityFailure},
		&pc5s.DirectLinkReleaseRequest{Cause: pc5s.CauseNoLongerNeeded},
		&pc5s.DirectLinkReleaseAccept{},
	} {
		forged = append(forged, inClear(d, h, m))
	}
	return forged
}

// Forgeries are all messages that an attacker without keys can make, in the direction of a
// datagram: in clear, and under a MAC-I or a tag that is wrong.
func (a *Attacker) Forgeries(d Datagram) []Datagram {
	h, _, err := underlay.Parse(d.Octets)
	if err != nil {
		return nil
	}
	nonce, lsb := [16]byte{1}, byte(1)
	container := kei.Container{Method: kei.TLS13, Tag: a.tag(d), Exchange: 1, HasTotal: true, Total: 3, Fragment: []byte{22, 3, 3}}
	stateless := kei.Container{Method: kei.TLS13, Tag: a.tag(d), Start: true, HasCookie: true, Cookie: []byte("cookie")}
	resuming := kei.Container{Method: kei.PSKDHE, Tag: a.tag(d), Start: true, HasCookie: true, Cookie: []byte("cookie")}
	commands := [][]byte{nil, (&kei.Command{Tag: a.tag(d)}).AppendTo(nil), (&kei.Command{Tag: a.tag(d), Share: [kei.ShareLen]byte{9}}).AppendTo(nil)}
	messages := []pc5s.Message{
		&pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: stateless.AppendTo(nil)},
		&pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: container.AppendTo(nil)},
		&pc5s.DirectLinkAuthenticationResponse{KeyEstablishmentInfo: container.AppendTo(nil)},
		&pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: resuming.AppendTo(nil)},
		&pc5s.DirectLinkSecurityModeComplete{QoSFlowDescriptions: pc5s.DefaultQoS()},
		&pc5s.DirectLinkEstablishmentAccept{SourceUserInfo: []byte("mallory"), QoSFlowDescriptions: pc5s.DefaultQoS()},
	}
	for _, container := range commands { // of TLS, with an all-zero share, and with a share that is nobody's
		messages = append(messages, &pc5s.DirectLinkSecurityModeCommand{
			Selected: pc5s.SelectedAlgorithms{Ciphering: nea.NEA2, Integrity: nea.NIA2}, Capabilities: pc5s.Capabilities{0x20, 0x20, 0x80},
			Nonce2: &nonce, KNRPSessLSB: &lsb, KeyEstablishmentInfo: container,
		})
	}
	forged := a.Negatives(d)
	for _, m := range messages {
		forged = append(forged, inClear(d, h, m))
		for _, lcid := range []underlay.LCID{underlay.SRB1, underlay.SRB2} {
			forged = append(forged, a.unverifiable(d, h, lcid, m))
		}
	}
	for _, lcid := range []underlay.LCID{underlay.SRB2, underlay.DRB} {
		forged = append(forged, a.forgedRecord(d, h, lcid))
	}
	return append(forged, Datagram{From: d.From, To: d.To, Octets: underlay.Header{Form: underlay.FormHint, Destination: h.Destination, Source: h.Source}.AppendTo(nil)})
}

// unverifiable is a message with a MAC-I that nobody made, under an ID that whoever sent the newest
// request waits for. It has a sender also where the door's answers, which are its model, have none.
func (a *Attacker) unverifiable(way Datagram, h underlay.Header, lcid underlay.LCID, m pc5s.Message) Datagram {
	h.Form, h.LCID = underlay.FormPDCP, lcid
	if h.Source == underlay.Broadcast {
		h.Source = 0x00BAD1
	}
	msb := byte(1)
	if r := a.request(way); r != nil && r.KNRPSessMSB != nil {
		msb = *r.KNRPSessMSB
	}
	way.Octets = append(append(h.AppendTo(nil), 0, 0, msb, 1), pc5s.Marshal(m)...)
	way.Octets = append(way.Octets, 1, 2, 3, 4)
	return way
}

// forgedRecord is a record for the newest session that was heard that way, far ahead.
func (a *Attacker) forgedRecord(way Datagram, h underlay.Header, lcid underlay.LCID) Datagram {
	r := record.Header{Header: h, Session: a.session(way), Count: 1 << 40}
	r.LCID = lcid
	way.Octets = append(r.AppendTo(nil), make([]byte, 48)...)
	return way
}

func (a *Attacker) session(way Datagram) uint16 {
	recent := a.recent(100)
	for i := len(recent) - 1; i >= 0; i-- {
		if r, _, _, err := record.ParseHeader(recent[i].Octets); err == nil && recent[i].From == way.From && recent[i].To == way.To {
			return r.Session
		}
	}
	return 0
}

// tag is the conversation tag of the newest request on the path of a datagram.
func (a *Attacker) tag(way Datagram) [8]byte {
	if r := a.request(way); r != nil {
		return kei.Tag(pc5s.Marshal(r))
	}
	return [8]byte{}
}

// request is the newest one on the path of a datagram; nil: there is none.
func (a *Attacker) request(way Datagram) *pc5s.DirectLinkEstablishmentRequest {
	recent := a.recent(100)
	for i := len(recent) - 1; i >= 0; i-- {
		d := recent[i]
		if d.From != way.From && d.From != way.To || d.To != way.From && d.To != way.To {
			continue
		}
		if _, m := clearMessage(d); m != nil && m.Type() == pc5s.MessageDirectLinkEstablishmentRequest {
			return m.(*pc5s.DirectLinkEstablishmentRequest)
		}
	}
	return nil
}
