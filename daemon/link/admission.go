package link

import (
	"bytes"
	"crypto/sha256"
	"net/netip"
	"slices"
	"time"

	"pc5d/daemon/auth/cookie"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
)

// maxRequest bounds an establishment request, so that its copy fits beside a cookie.
const maxRequest = 800

// Admission answers whoever is not known yet, without keeping any state about him: an
// establishment request by a cookie, and the response that brings the cookie back by letting
// the caller make a responder. One Admission may be used by one goroutine only.
type Admission struct {
	cfg AdmissionConfig
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
}

// NewAdmission makes the door of a node.
func NewAdmission(cfg AdmissionConfig) *Admission { return &Admission{cfg} }

// Admitted is an authentication response whose cookie proved its address, or a request that
// proved a kept key.
type Admitted struct {
	From      netip.AddrPort
	Source    underlay.LayerTwoID
	Request   []byte // owned
	Parsed    *pc5s.DirectLinkEstablishmentRequest
	Container *kei.Container // its slices are owned, too; of a response, whose cookie proved the address
	Octets    int
	Kept      *KeptKey // owned, with its key; nil: full authentication
	ShareA    [kei.ShareLen]byte
	Repeated  bool // of a kept key: not the first such request, so no new conversation
}

// Wipe ends an admission that gets no machine.
func (a *Admitted) Wipe() {
	if a != nil && a.Kept != nil {
		a.Kept.Key.Wipe()
	}
}

// message is what brought the admission.
func (a *Admitted) message() pc5s.MessageType {
	if a.Container != nil {
		return pc5s.MessageDirectLinkAuthenticationResponse
	}
	return pc5s.MessageDirectLinkEstablishmentRequest
}

// Refusal is the establishment reject for an admitted request that gets no machine (TS 24.554,
// 7.2.2.5). It needs no state, and the initiator can only take it as a hint.
func (a *Admitted) Refusal(cause pc5s.Cause) []byte { return rejectOf(a.Source, cause) }

func rejectOf(to underlay.LayerTwoID, cause pc5s.Cause) []byte {
	h := underlay.Header{Form: underlay.FormPDCP, Destination: to, Source: underlay.Broadcast, LCID: underlay.SRB0}
	return pdcp.AppendUnprotected(h.AppendTo(nil), 0, pc5s.Marshal(&pc5s.DirectLinkEstablishmentReject{Cause: cause}))
}

// Receive takes a datagram for the broadcast L2 ID. It returns an answer, which is never longer
// than what was received, or an admission, or a Drop. With both, the answer is for a caller that
// does not go on with the admission.
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
	if err != nil {
		return nil, nil, DropMalformed
	}
	msg, err := pc5s.Parse(sdu)
	if err != nil {
		return nil, nil, DropMalformed
	}
	switch msg := msg.(type) {
	case *pc5s.DirectLinkEstablishmentRequest:
		return a.request(now, from, h, msg, sdu, len(datagram))
	case *pc5s.DirectLinkAuthenticationResponse:
		return a.response(now, from, h, msg, len(datagram))
	}
	return nil, nil, DropState
}

// screen applies what needs no state: the request is for this end, offers what this end can
// do, and asks for protection (TS 24.554, 7.2.2.3; the link's own policy is applied after
// authentication).
func (a *Admission) screen(r *pc5s.DirectLinkEstablishmentRequest, octets int) error {
	if octets > maxRequest {
		return DropContainer
	}
	if len(r.TargetUserInfo) != 0 && string(r.TargetUserInfo) != a.cfg.Local.Name {
		return DropTarget
	}
	if string(r.SourceUserInfo) == a.cfg.Local.Name {
		return DropOwnRequest
	}
	if r.Nonce1 == nil || r.KNRPSessMSB == nil || *r.KNRPSessMSB == 0 {
		return DropForm
	}
	offer, err := kei.ParseOffer(r.KeyEstablishmentInfo)
	if err != nil {
		return DropContainer
	}
	if !slices.Contains(offer.Methods, kei.TLS13) && !slices.Contains(offer.Methods, kei.PSKDHE) {
		return DropConversation
	}
	return nil
}

func (a *Admission) request(now time.Time, from netip.AddrPort, h underlay.Header, r *pc5s.DirectLinkEstablishmentRequest, sdu []byte, octets int) ([]byte, *Admitted, error) {
	if err := a.screen(r, len(sdu)); err != nil {
		return nil, nil, err
	}
	admitted := a.resumed(from, h, r, sdu, octets)
	if admitted == nil && !a.opened(r, sdu) {
		return nil, nil, DropGate
	}
	answer := a.answer(now, from, h, r, sdu, admitted)
	if len(answer) > octets {
		admitted.Wipe()
		return nil, nil, DropForm
	}
	return answer, admitted, nil
}

// answer is the cookie round of the method that a request can go on with: psk-dhe where it proved
// its key, else TLS. One that offers neither is refused in fewer octets than it had.
func (a *Admission) answer(now time.Time, from netip.AddrPort, h underlay.Header, r *pc5s.DirectLinkEstablishmentRequest, request []byte, admitted *Admitted) []byte {
	switch offer, err := kei.ParseOffer(r.KeyEstablishmentInfo); {
	case admitted != nil:
		return a.challenge(now, from, h, request, kei.PSKDHE)
	case err == nil && slices.Contains(offer.Methods, kei.TLS13):
		return a.challenge(now, from, h, request, kei.TLS13)
	}
	return rejectOf(h.Source, pc5s.CauseAuthenticationFailure)
}

// challenge makes the stateless authentication request; its source is the request's
// destination, and its numbers are 0 because nothing counts them.
func (a *Admission) challenge(now time.Time, from netip.AddrPort, h underlay.Header, request []byte, method kei.Method) []byte {
	c := kei.Container{
		Method: method, Start: true, Tag: kei.Tag(request), HasCookie: true,
		Cookie: a.cfg.Jar.Make(now, from, uint32(h.Source), sha256.Sum256(request)),
	}
	reply := underlay.Header{Form: underlay.FormPDCP, Destination: h.Source, Source: underlay.Broadcast, LCID: underlay.SRB0}
	m := pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: c.AppendTo(nil)}
	return pdcp.AppendUnprotected(reply.AppendTo(nil), 0, pc5s.Marshal(&m))
}

// response checks the cookie; a wrong or old one is answered by a new one.
func (a *Admission) response(now time.Time, from netip.AddrPort, h underlay.Header, r *pc5s.DirectLinkAuthenticationResponse, octets int) ([]byte, *Admitted, error) {
	c, err := kei.Parse(r.KeyEstablishmentInfo)
	if err != nil {
		return nil, nil, DropContainer
	}
	if !c.HasCookie || !c.HasRequest || c.AckOnly != (c.Method == kei.PSKDHE) || c.Failure || c.Tag != kei.Tag(c.Request) {
		return nil, nil, DropConversation
	}
	msg, err := pc5s.Parse(c.Request)
	if err != nil {
		return nil, nil, DropMalformed
	}
	request, ok := msg.(*pc5s.DirectLinkEstablishmentRequest)
	if !ok {
		return nil, nil, DropForm
	}
	if err := a.screen(request, len(c.Request)); err != nil {
		return nil, nil, err
	}
	var admitted *Admitted
	if c.Method == kei.PSKDHE {
		admitted = a.resumed(from, h, request, c.Request, octets)
	}
	if admitted == nil && !a.opened(request, c.Request) {
		return nil, nil, DropGate
	}
	proved := a.cfg.Jar.Verify(now, c.Cookie, from, uint32(h.Source), sha256.Sum256(c.Request)) == nil
	switch {
	case !proved || c.Method == kei.PSKDHE && admitted == nil: // or the key has ended since the request
		admitted.Wipe()
		return a.answer(now, from, h, request, c.Request, admitted), nil, nil
	case admitted == nil:
		admitted = &Admitted{From: from, Source: h.Source, Request: bytes.Clone(c.Request), Parsed: request, Octets: octets}
	}
	admitted.Container, admitted.Repeated = owned(c), false // a cookie is as fresh as a newer time
	return nil, admitted, nil
}

// opened tells whether a request may be answered: there is no gate, or it opens it.
func (a *Admission) opened(r *pc5s.DirectLinkEstablishmentRequest, request []byte) bool {
	if !a.cfg.Gate {
		return true
	}
	offer, err := kei.ParseOffer(r.KeyEstablishmentInfo)
	return err == nil && opens(a.cfg.Local, request, offer)
}

// owned copies a container away from the datagram that it aliases.
func owned(c *kei.Container) *kei.Container {
	d := *c
	d.Cookie, d.Request, d.Fragment = nil, nil, bytes.Clone(c.Fragment)
	return &d
}
