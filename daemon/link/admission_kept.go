package link

import (
	"bytes"
	"net/netip"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// welcomes tells whether a request that proved a key of psk-dhe may be admitted without a cookie, and
// whether it is a repeated one: its time is not newer than the last under its key. That may be a
// recorded one, or somebody's whose clock was set back: without a conversation under way it costs
// nothing but a cookie (T05, T30).
func (a *Admission) welcomes(from netip.AddrPort, h underlay.Header, request []byte) (welcome, repeated bool) {
	repeated = !a.cfg.Kept.Accept(a.proof.key, *a.offer.Time)
	if !repeated || a.cfg.UnderWay == nil {
		return true, repeated
	}
	return a.cfg.UnderWay(from, h.Source, kei.Tag(request)), true
}

// resumed admits a request that proved a key of psk-dhe, unless the link wants full authentication.
func (a *Admission) resumed(from netip.AddrPort, h underlay.Header, request []byte, octets int) *Admitted {
	own := bytes.Clone(request)
	msg, err := pc5s.Parse(own)
	if err != nil || !a.serves(a.proof.key, msg.(*pc5s.DirectLinkEstablishmentRequest)) {
		return nil
	}
	return &Admitted{
		From: from, Source: h.Source, Request: own, Parsed: msg.(*pc5s.DirectLinkEstablishmentRequest), Octets: octets,
		Kept: a.proof.found(), ShareA: *a.offer.Share,
	}
}

// serves tells whether a key stands for the link that a request asks for, in the key's own name.
func (a *Admission) serves(k KeptKey, r *pc5s.DirectLinkEstablishmentRequest) bool {
	if claimed := string(r.SourceUserInfo); claimed != k.Peer.Name && !isPseudonym(claimed) {
		return false
	}
	l, ok := a.cfg.Links.Lookup(k.Peer, pc5s.ServiceName(r.ProSeIdentifiers))
	return ok && usable(k, l)
}
