package link

import (
	"bytes"
	"net/netip"

	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// resumed admits a request that proved a key of psk-dhe, which it takes over, unless the link wants
// full authentication. One whose time is not newer than the last under its key is a repeated one, or
// has to bring a cookie: clocks are set back (T05).
func (a *Admission) resumed(from netip.AddrPort, h underlay.Header, request []byte, octets int, k KeptKey) *Admitted {
	own := bytes.Clone(request)
	msg, err := pc5s.Parse(own)
	if err == nil && a.serves(k, msg.(*pc5s.DirectLinkEstablishmentRequest)) {
		return &Admitted{
			From: from, Source: h.Source, Request: own, Parsed: msg.(*pc5s.DirectLinkEstablishmentRequest), Octets: octets,
			Kept: &k, ShareA: *a.offer.Share, Repeated: !a.cfg.Kept.Accept(k, *a.offer.Time),
		}
	}
	k.Key.Wipe()
	return nil
}

// serves tells whether a key stands for the link that a request asks for, in the key's own name.
func (a *Admission) serves(k KeptKey, r *pc5s.DirectLinkEstablishmentRequest) bool {
	if claimed := string(r.SourceUserInfo); claimed != k.Peer.Name && !isPseudonym(claimed) {
		return false
	}
	l, ok := a.cfg.Links.Lookup(k.Peer, pc5s.ServiceName(r.ProSeIdentifiers))
	return ok && usable(k, l)
}
