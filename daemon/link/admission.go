package link

import (
	"bytes"
	"crypto/sha256"
	"net/netip"
	"time"

	"pc5d/daemon/auth/cookie"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
)

// maxRequest bounds an establishment request, so that its copy fits beside a cookie.
const maxRequest = 800

// maxChallenge is the length of an answer with a cookie, and more.
const maxChallenge = 128

// minResumed is the least request that is answered by a security mode command without a cookie: a
// command of psk-dhe is not longer, so an address that nobody proved gets no more than it sent (T34).
const minResumed = 128

// Admission answers whoever is not known yet, without keeping any state about him: an
// establishment request by a cookie, and the response that brings the cookie back by letting
// the caller make a responder. Nothing is allocated for those who have proved neither their
// address nor a key (T30). One Admission may be used by one goroutine only.
type Admission struct {
	cfg AdmissionConfig

	// scratch, of the datagram at hand
	request   pc5s.EstablishmentRequestView
	response  pc5s.DirectLinkAuthenticationResponse
	offer     kei.Offer
	container kei.Container
	proof     *proof
	cookie    [cookie.Len]byte
	info      [maxChallenge]byte
	message   pc5s.DirectLinkAuthenticationRequest
	reject    pc5s.DirectLinkEstablishmentReject
	answer    [maxChallenge]byte
}

// AdmissionConfig is what an Admission is made of.
type AdmissionConfig struct {
	Local Peer
	Jar   *cookie.Jar
	Links Links
	Kept  KeptKeys // nil: everybody authenticates in full
	// Gate leaves whoever does not know this end's fingerprint, or a key of psk-dhe, without any
	// answer (T20).
	Gate bool
	// UnderWay tells whether the conversation of a request is, so that a repeated one is for its machine.
	// It must not block. nil: every repeated one is handed on.
	UnderWay func(from netip.AddrPort, source underlay.LayerTwoID, tag [8]byte) bool
}

// NewAdmission makes the door of a node.
func NewAdmission(cfg AdmissionConfig) *Admission {
	return &Admission{cfg: cfg, proof: newProof(cfg.Local, cfg.Kept)}
}

// Receive takes a datagram for the broadcast L2 ID, which it does not keep. It returns an answer,
// which is never longer than what was received and valid until the next call, or an admission, or a
// Drop. With both, the answer is for a caller that does not go on with the admission.
func (a *Admission) Receive(now time.Time, from netip.AddrPort, datagram []byte) (answer []byte, admitted *Admitted, err error) {
	h, pdu, err := underlay.Parse(datagram)
	if err != nil {
		return nil, nil, DropMalformed
	}
	if h.Destination != underlay.Broadcast || h.Source == underlay.Broadcast || h.Source == 0 {
		return nil, nil, DropNotForUs
	}
	if h.LCID != underlay.SRB0 || h.Form != underlay.FormPDCP {
		return nil, nil, DropForm
	}
	_, sdu, err := pdcp.ParseUnprotected(pdu)
	if err != nil || len(sdu) == 0 {
		return nil, nil, DropMalformed
	}
	switch pc5s.MessageType(sdu[0]) {
	case pc5s.MessageDirectLinkEstablishmentRequest:
		return a.receiveRequest(now, from, h, sdu, len(datagram))
	case pc5s.MessageDirectLinkAuthenticationResponse:
		return a.receiveResponse(now, from, h, sdu, len(datagram))
	}
	return nil, nil, DropState
}

// screen reads a request and applies what needs no state: the request is for this end, offers what
// this end can do, and asks for protection (TS 24.554, 7.2.2.3; the link's own policy is applied
// after authentication).
func (a *Admission) screen(sdu []byte) error {
	r := &a.request
	*r = pc5s.EstablishmentRequestView{}
	if pc5s.ReadInto(sdu, r) != 0 {
		return DropMalformed
	}
	if len(sdu) > maxRequest {
		return DropContainer
	}
	if len(r.TargetUserInfo) != 0 && string(r.TargetUserInfo) != a.cfg.Local.Name {
		return DropTarget
	}
	if string(r.SourceUserInfo) == a.cfg.Local.Name {
		return DropOwnRequest
	}
	if len(r.Nonce1) == 0 || len(r.KNRPSessMSB) == 0 || r.KNRPSessMSB[0] == 0 {
		return DropForm
	}
	if a.offer.Read(r.KeyEstablishmentInfo) != nil {
		return DropContainer
	}
	if !a.offer.Offers(kei.TLS13) && !a.offer.Offers(kei.PSKDHE) {
		return DropConversation
	}
	return nil
}

// receiveRequest answers a request by a cookie, and admits one that proved a key.
func (a *Admission) receiveRequest(now time.Time, from netip.AddrPort, h underlay.Header, sdu []byte, octets int) ([]byte, *Admitted, error) {
	if err := a.screen(sdu); err != nil {
		return nil, nil, err
	}
	defer a.proof.forget()
	var admitted *Admitted
	proved := a.proof.finds(a.unproved(now), sdu, &a.request, &a.offer)
	if proved {
		if welcome, repeated := a.welcomes(from, h, sdu); welcome {
			if admitted = a.resumed(from, h, sdu, octets); admitted != nil {
				admitted.Repeated = repeated
			}
			proved = admitted != nil
		}
	}
	answer, err := a.stranger(now, from, h, sdu, octets, proved)
	if err != nil || octets < minResumed {
		admitted.Wipe()
		return answer, nil, err
	}
	return answer, admitted, nil
}

// unproved bounds the search for a request whose address is not proved: few keys, but behind a gate, where
// nobody is asked for a cookie before, all of them while there is time for it.
func (a *Admission) unproved(now time.Time) *comparisons {
	if a.cfg.Gate {
		return a.proof.gated.at(now)
	}
	return nil
}

// stranger answers whoever proved no address: nothing where there is a gate, else a cookie, of
// psk-dhe where the request proved its key or may do so later, else of TLS. A request that can go on
// with neither is refused.
func (a *Admission) stranger(now time.Time, from netip.AddrPort, h underlay.Header, request []byte, octets int, proved bool) ([]byte, error) {
	if a.cfg.Gate && !proved && !a.proof.opens(request, &a.offer) {
		return nil, DropGate
	}
	var answer []byte
	var err error
	switch {
	case proved || !a.offer.Offers(kei.TLS13) && a.proof.crowded(&a.offer):
		answer, err = a.challenge(now, from, h, request, kei.PSKDHE)
	case a.offer.Offers(kei.TLS13):
		answer, err = a.challenge(now, from, h, request, kei.TLS13)
	default:
		a.reject = pc5s.DirectLinkEstablishmentReject{Cause: pc5s.CauseAuthenticationFailure}
		answer = inClear(a.answer[:0], h.Source, &a.reject)
	}
	if err == nil && len(answer) > octets {
		return nil, DropForm
	}
	return answer, err
}

// challenge makes the stateless authentication request.
func (a *Admission) challenge(now time.Time, from netip.AddrPort, h underlay.Header, request []byte, method kei.Method) ([]byte, error) {
	c := kei.Container{Method: method, Start: true, Tag: kei.Tag(request), HasCookie: true}
	var err error
	if c.Cookie, err = a.cfg.Jar.AppendTo(a.cookie[:0], now, caller(from, h, request)); err != nil {
		return nil, DropNoCookie
	}
	a.message.KeyEstablishmentInfo = c.AppendTo(a.info[:0])
	return inClear(a.answer[:0], h.Source, &a.message), nil
}

func caller(from netip.AddrPort, h underlay.Header, request []byte) cookie.Caller {
	return cookie.Caller{From: from, LayerTwo: uint32(h.Source), Request: sha256.Sum256(request)}
}

// receiveResponse checks the cookie; a wrong or old one is answered by a new one. With a right one
// the address is proved, and a kept key stands for the handshake that comes along.
func (a *Admission) receiveResponse(now time.Time, from netip.AddrPort, h underlay.Header, sdu []byte, octets int) ([]byte, *Admitted, error) {
	a.response = pc5s.DirectLinkAuthenticationResponse{}
	if pc5s.ReadInto(sdu, &a.response) != 0 {
		return nil, nil, DropMalformed
	}
	c := &a.container
	if c.Read(a.response.KeyEstablishmentInfo) != nil {
		return nil, nil, DropContainer
	}
	if !c.HasCookie || !c.HasRequest || c.AckOnly != (c.Method == kei.PSKDHE) || c.Failure || c.Tag != kei.Tag(c.Request) {
		return nil, nil, DropConversation
	}
	if err := a.screen(c.Request); err != nil {
		return nil, nil, err
	}
	candidates, valid := a.proof.proved.at(now), a.cfg.Jar.Verify(now, c.Cookie, caller(from, h, c.Request)) == nil
	if !valid {
		candidates = a.unproved(now)
	}
	defer a.proof.forget()
	proved := a.proof.finds(candidates, c.Request, &a.request, &a.offer)
	if valid && proved {
		if admitted := a.resumed(from, h, c.Request, octets); admitted != nil {
			admitted.Proved = true
			return nil, admitted, nil
		}
		proved = false
	}
	if valid && c.Method == kei.TLS13 && a.offer.Offers(kei.TLS13) {
		admitted, err := a.admit(from, h, octets)
		return nil, admitted, err
	}
	// Whoever has begun a handshake goes on with it: a cookie of the other method would be lost on him.
	answer, err := a.stranger(now, from, h, c.Request, octets, proved && c.Method == kei.PSKDHE)
	return answer, nil, err
}

// admit copies what was received from whoever proved an address.
func (a *Admission) admit(from netip.AddrPort, h underlay.Header, octets int) (*Admitted, error) {
	request := bytes.Clone(a.container.Request)
	msg, err := pc5s.Parse(request)
	if err != nil {
		return nil, DropMalformed
	}
	return &Admitted{
		From: from, Source: h.Source, Request: request, Parsed: msg.(*pc5s.DirectLinkEstablishmentRequest),
		Container: owned(&a.container), Octets: octets, Proved: true,
	}, nil
}
