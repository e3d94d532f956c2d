package link

import (
	"bytes"
	"net/netip"
	"slices"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// resumed admits a request that proves a key of psk-dhe, unless the link wants full authentication.
// One whose time is not newer than the last under its key is a repeated one, or has to bring a
// cookie: clocks are set back (T05).
func (a *Admission) resumed(from netip.AddrPort, h underlay.Header, r *pc5s.DirectLinkEstablishmentRequest, request []byte, octets int) *Admitted {
	offer, err := kei.ParseOffer(r.KeyEstablishmentInfo)
	if err != nil || !slices.Contains(offer.Methods, kei.PSKDHE) {
		return nil
	}
	k, ok := findKept(a.cfg.Kept, a.cfg.Local, request, r, offer)
	if !ok {
		return nil
	}
	own := bytes.Clone(request)
	msg, err := pc5s.Parse(own)
	if err != nil || !a.serves(k, r) {
		k.Key.Wipe()
		return nil
	}
	return &Admitted{
		From: from, Source: h.Source, Request: own, Parsed: msg.(*pc5s.DirectLinkEstablishmentRequest), Octets: octets,
		Kept: &k, ShareA: *offer.Share, Repeated: !a.cfg.Kept.Accept(k, *offer.Time),
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
