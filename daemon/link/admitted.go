package link

import (
	"bytes"
	"net/netip"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
)

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

// Wipe ends an admission that gets no machine.
func (a *Admitted) Wipe() {
	if a != nil && a.Kept != nil {
		a.Kept.Key.Wipe()
	}
}

// message is what brought the admission.
func (a *Admitted) message() pc5s.MessageType {
	if a.Proved {
		return pc5s.MessageDirectLinkAuthenticationResponse
	}
	return pc5s.MessageDirectLinkEstablishmentRequest
}

// Refusal is the establishment reject for an admitted request that gets no machine (TS 24.554,
// 7.2.2.5). It needs no state, and the initiator can only take it as a hint.
func (a *Admitted) Refusal(cause pc5s.Cause) []byte {
	return inClear(nil, a.Source, &pc5s.DirectLinkEstablishmentReject{Cause: cause})
}

// inClear appends a stateless answer: its source is the request's destination, and its numbers are
// 0 because nothing counts them.
func inClear(b []byte, to underlay.LayerTwoID, m pc5s.Message) []byte {
	h := underlay.Header{Form: underlay.FormPDCP, Destination: to, Source: underlay.Broadcast, LCID: underlay.SRB0}
	return pc5s.AppendTo(pdcp.AppendUnprotected(h.AppendTo(b), 0, nil), m)
}

// owned copies a container away from the datagram that it aliases.
func owned(c *kei.Container) *kei.Container {
	d := *c
	d.Cookie, d.Request, d.Fragment = nil, nil, bytes.Clone(c.Fragment)
	return &d
}
