package link

import (
	"bytes"
	"crypto/sha256"
	"net/netip"
	"slices"
	"time"

	"pc5d/daemon/auth/cookie"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
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
	local Peer
	jar   *cookie.Jar
	kept  KeptKeys
	links Links

	// scratch, of the datagram at hand
	request   pc5s.EstablishmentRequestView
	response  pc5s.DirectLinkAuthenticationResponse
	offer     kei.Offer
	container kei.Container
	proof     *proof
	cookie    [cookie.Len]byte
	info      [maxChallenge]byte
	message   pc5s.DirectLinkAuthenticationRequest
	answer    [maxChallenge]byte
}

// NewAdmission makes the door of a node. Without kept keys everybody authenticates in full.
func NewAdmission(local Peer, jar *cookie.Jar, links Links, kept KeptKeys) *Admission {
	return &Admission{local: local, jar: jar, links: links, kept: kept, proof: newProof()}
}

// Admitted is an authentication response whose cookie proved its address, or a request that
// proved a kept key.
type Admitted struct {
	From      netip.AddrPort
	Source    underlay.LayerTwoID
	Request   []byte // owned
	Parsed    *pc5s.DirectLinkEstablishmentRequest
	Container *kei.Container // its slices are owned, too; of a response
	Octets    int
	Kept      *KeptKey // owned, with its key; nil: full authentication
	ShareA    [kei.ShareLen]byte
	Repeated  bool // of a kept key: not the first such request, so no new conversation
	Proved    bool // a cookie proved the address
}

// Refusal is the establishment reject for an admitted request that gets no machine (TS 24.554,
// 7.2.2.5). It needs no state, and the initiator can only take it as a hint.
func (a *Admitted) Refusal(cause pc5s.Cause) []byte {
	h := underlay.Header{Form: underlay.FormPDCP, Destination: a.Source, Source: underlay.Broadcast, LCID: underlay.SRB0}
	return pdcp.AppendUnprotected(h.AppendTo(nil), 0, pc5s.Marshal(&pc5s.DirectLinkEstablishmentReject{Cause: cause}))
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
	if len(r.TargetUserInfo) != 0 && string(r.TargetUserInfo) != a.local.Name {
		return DropTarget
	}
	if string(r.SourceUserInfo) == a.local.Name {
		return DropOwnRequest
	}
	if len(r.Nonce1) == 0 || len(r.KNRPSessMSB) == 0 || r.KNRPSessMSB[0] == 0 {
		return DropForm
	}
	if a.offer.Read(r.KeyEstablishmentInfo) != nil {
		return DropContainer
	}
	if !a.offer.Offers(kei.TLS13) {
		return DropConversation
	}
	return nil
}

func (a *Admission) receiveRequest(now time.Time, from netip.AddrPort, h underlay.Header, sdu []byte, octets int) ([]byte, *Admitted, error) {
	if err := a.screen(sdu); err != nil {
		return nil, nil, err
	}
	answer, err := a.challenge(now, from, h, sdu)
	if err != nil {
		return nil, nil, err
	}
	if len(answer) > octets {
		return nil, nil, DropForm
	}
	if octets < minResumed || !a.proof.holds(a.kept, a.local, searchUnproved, sdu, &a.request, &a.offer) {
		return answer, nil, nil
	}
	return answer, a.resume(from, h, sdu, octets), nil
}

// resume admits a request whose key was proved, without its address.
func (a *Admission) resume(from netip.AddrPort, h underlay.Header, sdu []byte, octets int) *Admitted {
	msg, err := pc5s.Parse(sdu)
	if err != nil {
		return nil
	}
	return a.resumed(from, h, msg.(*pc5s.DirectLinkEstablishmentRequest), sdu, octets)
}

// resumed admits a request that proves a kept key, unless the link wants full authentication. One
// whose time is not newer than the last under its key is a repeated one, or needs a cookie and full
// authentication: clocks are set back (T05).
func (a *Admission) resumed(from netip.AddrPort, h underlay.Header, r *pc5s.DirectLinkEstablishmentRequest, request []byte, octets int) *Admitted {
	offer, err := kei.ParseOffer(r.KeyEstablishmentInfo)
	if err != nil || !slices.Contains(offer.Methods, kei.PSKDHE) {
		return nil
	}
	k, ok := findKept(a.kept, a.local, request, r, offer)
	if claimed := string(r.SourceUserInfo); !ok || claimed != k.Peer.Name && !isPseudonym(claimed) {
		return nil
	}
	l, ok := a.links.Lookup(k.Peer, pc5s.ServiceName(r.ProSeIdentifiers))
	if !ok || !usable(k, l) {
		return nil
	}
	repeated := !a.kept.Accept(k.ID, *offer.Time)
	k.Key = keys.ResumptionKey{Secret: keys.NewSecret(bytes.Clone(k.Key.Bytes()))}
	own := bytes.Clone(request)
	msg, err := pc5s.Parse(own)
	if err != nil {
		return nil
	}
	return &Admitted{
		From: from, Source: h.Source, Request: own, Parsed: msg.(*pc5s.DirectLinkEstablishmentRequest), Octets: octets,
		Kept: &k, ShareA: *offer.Share, Repeated: repeated,
	}
}

// challenge makes the stateless authentication request; its source is the request's
// destination, and its numbers are 0 because nothing counts them.
func (a *Admission) challenge(now time.Time, from netip.AddrPort, h underlay.Header, request []byte) ([]byte, error) {
	c := kei.Container{Method: kei.TLS13, Start: true, Tag: kei.Tag(request), HasCookie: true}
	var err error
	if c.Cookie, err = a.jar.AppendTo(a.cookie[:0], now, caller(from, h, request)); err != nil {
		return nil, DropNoCookie
	}
	a.message.KeyEstablishmentInfo = c.AppendTo(a.info[:0])
	reply := underlay.Header{Form: underlay.FormPDCP, Destination: h.Source, Source: underlay.Broadcast, LCID: underlay.SRB0}
	return pc5s.AppendTo(pdcp.AppendUnprotected(reply.AppendTo(a.answer[:0]), 0, nil), &a.message), nil
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
	if c.Method != kei.TLS13 || !c.HasCookie || !c.HasRequest || c.AckOnly || c.Failure || c.Tag != kei.Tag(c.Request) {
		return nil, nil, DropConversation
	}
	if err := a.screen(c.Request); err != nil {
		return nil, nil, err
	}
	if a.jar.Verify(now, c.Cookie, caller(from, h, c.Request)) != nil {
		answer, err := a.challenge(now, from, h, c.Request)
		if err != nil || len(answer) > octets {
			return nil, nil, DropNoCookie
		}
		return answer, nil, nil
	}
	if a.proof.holds(a.kept, a.local, searchProved, c.Request, &a.request, &a.offer) {
		if admitted := a.resume(from, h, c.Request, octets); admitted != nil {
			admitted.Repeated = false // it comes with a cookie of its own: clocks may be set back (T05)
			admitted.Proved = true
			return nil, admitted, nil
		}
	}
	admitted, err := a.admit(from, h, octets)
	return nil, admitted, err
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

// owned copies a container away from the datagram that it aliases.
func owned(c *kei.Container) *kei.Container {
	d := *c
	d.Cookie, d.Request, d.Fragment = nil, nil, bytes.Clone(c.Fragment)
	return &d
}
