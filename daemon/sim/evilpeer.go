package sim

import (
	"crypto/sha256"
	"encoding/binary"

	"pc5d/daemon/auth"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

// Violations are the rules that an evil peer breaks: what it does to each message before it is
// protected. nil: it keeps the rule.
type Violations struct {
	Request  func(*pc5s.DirectLinkEstablishmentRequest)
	Command  func(*pc5s.DirectLinkSecurityModeCommand)
	Complete func(*pc5s.DirectLinkSecurityModeComplete)
	Accept   func(*pc5s.DirectLinkEstablishmentAccept)
	// Flight alters a flight of the handshake; nil as the result: the peer stops there.
	Flight func(flight []byte) []byte
	// Silent stops after security mode control.
	Silent bool
	// Offer alters the offer of psk-dhe before its binder is made, and Binder what is sent as such.
	Offer  func(*kei.Offer)
	Binder func(*[kei.ProofLen]byte)
	// Share alters the share that a command of psk-dhe says; its keys are those of the right one.
	Share func(*[kei.ShareLen]byte)
}

// EvilPeer is a host with valid credentials that breaks rules. It speaks the protocol from the
// codecs up and shares no state machine with the daemon. It repeats nothing.
type EvilPeer struct {
	Host *Host
	Violations
	// Got are the messages that reached it, by type; protected ones only after they verified.
	Got map[pc5s.MessageType]int
	// Refused is the cause of the last establishment reject that reached it.
	Refused pc5s.Cause
	// Shared is the key of psk-dhe that it uses where it is set, as either end.
	Shared *SharedKey
	// Kept is the resumption key of its last session; KNRP is what that was made from.
	Kept *SharedKey
	KNRP keys.KNRP

	// Relay, if set, gets what is sent to the peer instead.
	Relay func(Datagram)

	auth    *auth.Authentication
	peer    *Host // the one it talks to
	session *session
}

// session is one conversation of an evil peer.
type session struct {
	role        link.Role
	local, peer underlay.LayerTwoID
	handshake   link.Handshake
	psk         *exchange // instead of a handshake
	request     []byte
	parsed      *pc5s.DirectLinkEstablishmentRequest
	tag         [8]byte
	srb1        *pdcp.Entity
	sealer      *record.Sealer
	opener      *record.Opener
}

// AddEvilPeer makes a host whose daemon is evil.
func (w *World) AddEvilPeer(name string) *EvilPeer {
	e := &EvilPeer{Got: map[pc5s.MessageType]int{}}
	e.Host = w.AddStranger(name, e.receive)
	e.auth = e.Host.authentication(e.Host.identity)
	w.evil = append(w.evil, e)
	return e
}

// Steal gives the evil peer the key of another host, under a name.
func (e *EvilPeer) Steal(from *Host, name string) {
	e.Host.key = from.key
	e.auth = e.Host.authentication(e.Host.newIdentity(name))
}

// Close ends what is under way.
func (e *EvilPeer) Close() {
	if e.session != nil && e.session.handshake != nil {
		e.session.handshake.Close()
	}
	e.session = nil
}

func (e *EvilPeer) begin(s *session) {
	e.Close()
	e.session = s
}

// say sends a message on SL-SRB0.
func (e *EvilPeer) say(to *Host, h underlay.Header, m pc5s.Message) {
	e.send(to, inClear(Datagram{}, h, m).Octets)
}

func (e *EvilPeer) send(to *Host, octets []byte) {
	e.Host.world.Network.send(Datagram{From: e.Host.Address, To: to.Address, Octets: octets})
}

func (e *EvilPeer) header(lcid underlay.LCID) underlay.Header {
	return underlay.Header{Form: underlay.FormPDCP, Destination: e.session.peer, Source: e.session.local, LCID: lcid}
}

// Hear gives the evil peer something recorded, as if from a host.
func (e *EvilPeer) Hear(d Datagram, from *Host) {
	d.From = from.Address
	e.receive(d)
}

// Authenticated tells whether a handshake of the evil peer came to its end.
func (e *EvilPeer) Authenticated() bool {
	return e.session != nil && e.session.handshake != nil && e.session.handshake.Complete()
}

// receive is the way of a datagram to the evil peer.
func (e *EvilPeer) receive(d Datagram) {
	if e.Relay != nil {
		e.Relay(d)
		return
	}
	peer := e.Host.world.Network.hosts[d.From]
	h, pdu, err := underlay.Parse(d.Octets)
	if err != nil || peer == nil || d.Forged {
		return
	}
	e.peer = peer
	if _, m := clearMessage(d); m != nil {
		e.Got[m.Type()]++
		e.receiveClear(h, m, d.Octets[underlay.HeaderLen+2:])
		return
	}
	if e.session == nil || h.Destination != e.session.local {
		return
	}
	switch {
	case h.LCID == underlay.SRB1 && e.session.role == link.RoleB && e.session.srb1 != nil:
		if sdu, err := e.session.srb1.Open(pdu, pdcp.Ciphered); err == nil {
			e.receiveProtected(sdu)
		}
	case h.LCID == underlay.SRB1 && e.session.role == link.RoleA:
		e.receiveCommand(h.Source, pdu)
	case h.LCID == underlay.SRB2 && e.session.opener != nil:
		if sdu, err := e.session.opener.Open(d.Octets); err == nil {
			e.receiveProtected(sdu)
		}
	}
}

func (e *EvilPeer) receiveClear(h underlay.Header, m pc5s.Message, sdu []byte) {
	switch m := m.(type) {
	case *pc5s.DirectLinkEstablishmentReject:
		e.Refused = m.Cause
	case *pc5s.DirectLinkEstablishmentRequest:
		if e.Shared != nil {
			e.commandAtOnce(h, m, sdu)
			return
		}
		e.challenge(h, m, sdu)
	case *pc5s.DirectLinkAuthenticationResponse:
		e.respond(h, m)
	case *pc5s.DirectLinkAuthenticationRequest:
		e.answer(h, m)
	}
}

func (e *EvilPeer) receiveProtected(sdu []byte) {
	m, err := pc5s.Parse(sdu)
	if err != nil {
		return
	}
	e.Got[m.Type()]++
	switch m := m.(type) {
	case *pc5s.DirectLinkSecurityModeComplete:
		e.accept()
	case *pc5s.DirectLinkEstablishmentReject:
		e.Refused = m.Cause
	}
}

// derive makes the context's keys; alg are those of the command.
func (e *EvilPeer) derive(alg pc5s.SelectedAlgorithms, chosen suite.ID, nonce2 [16]byte, id uint16) bool {
	s, direction := e.session, uint8(0)
	if s.role == link.RoleB {
		direction = 1
	}
	knrp, err := e.makeKNRP()
	if err != nil {
		return false
	}
	e.KNRP, e.Kept = knrp, &SharedKey{Key: keys.DeriveResumptionKey(knrp).Secret}
	sess := keys.DeriveKNRPSess(knrp, keys.Nonce(*s.parsed.Nonce1), keys.Nonce(nonce2))
	cipher, err := nea.NewCipher(alg.Ciphering, keys.DeriveNRPEK(sess, alg.Ciphering).Key128())
	if err != nil {
		return false
	}
	mac, err := nea.NewMAC(alg.Integrity, keys.DeriveNRPIK(sess, alg.Integrity).Key128())
	if err != nil {
		return false
	}
	s.srb1 = pdcp.NewEntity(pdcp.Config{Bearer: uint8(underlay.SRB1), Session: id, Direction: direction, Cipher: cipher, MAC: mac})
	if !suite.Built(chosen) || chosen == suite.None {
		return true
	}
	made := [2]suite.Suite{}
	for i := range made {
		k := keys.DeriveRecordKey(sess, keys.SignallingPlane, byte(chosen), 0x11, byte(i), chosen.KeyLen())
		if made[i], err = suite.New(chosen, suite.AEAD, k.Key.Bytes(), k.Salt); err != nil {
			return false
		}
	}
	s.sealer = record.NewSealer(made[direction], id)
	s.opener = record.NewOpener(made[1-direction], 64)
	return true
}

// makeKNRP makes K_NRP of the session by its method.
func (e *EvilPeer) makeKNRP() (keys.KNRP, error) {
	s := e.session
	layerTwoA, layerTwoB := s.local, s.peer
	if s.role == link.RoleB {
		layerTwoA, layerTwoB = layerTwoB, layerTwoA
	}
	hash := sha256.Sum256(s.request)
	if s.psk != nil {
		a, b := e.Host.Name, e.peer.Name
		if s.role == link.RoleB {
			a, b = b, a
		}
		return s.psk.knrp(contextOf("psk-dhe", hash, layerTwoA, layerTwoB, []byte(a), []byte(b)))
	}
	a, b := e.auth.Local(), s.handshake.Peer()
	if s.role == link.RoleB {
		a, b = b, a
	}
	return s.handshake.ExportKNRP(contextOf("tls13", hash, layerTwoA, layerTwoB, []byte(a.Name), []byte(b.Name), a.Fingerprint[:], b.Fingerprint[:]))
}

// contextOf is the ctx that K_NRP is bound to, written a second time.
func contextOf(method string, request [32]byte, layerTwoA, layerTwoB underlay.LayerTwoID, who ...[]byte) (ctx []byte) {
	three := func(id underlay.LayerTwoID) []byte { return []byte{byte(id >> 16), byte(id >> 8), byte(id)} }
	for _, part := range append([][]byte{[]byte("pc5d/1"), []byte(method), request[:], three(layerTwoA), three(layerTwoB)}, who...) {
		ctx = append(binary.BigEndian.AppendUint16(ctx, uint16(len(part))), part...)
	}
	return ctx
}
