package provision

import (
	"fmt"
	"net/netip"
	"slices"
)

// outside refuses an endpoint that the routes of a link would send into a link: into the same one, where
// its packets would go round for ever, or into another one, which nothing foresees (T62).
func (r *reader) outside(t *table, l *Link) {
	own := slices.Concat(l.Allowed, l.Addresses)
	if i := slices.IndexFunc(own, func(p netip.Prefix) bool { return r.swallows(p, l.Endpoint.Addr()) }); i >= 0 {
		t.doc.wrong(t.at("endpoint"), fmt.Sprintf("link.endpoint %s is inside %s of the same link: its packets would go into the link itself", l.Endpoint.Addr(), own[i]), r.mend(own[i]))
		return
	}
	r.outsideOthers(t, l.Endpoint.Addr())
}

// outsideOthers looks at the prefixes of the links before this one.
func (r *reader) outsideOthers(t *table, endpoint netip.Addr) {
	if !endpoint.IsValid() {
		return
	}
	by := t.claim(t.at("endpoint"))
	if _, known := r.claims.endpoints[endpoint]; !known {
		r.claims.endpoints[endpoint] = by
	}
	for bits := endpoint.BitLen(); bits >= 0; bits-- {
		p, _ := endpoint.WithZone("").Prefix(bits) // cannot fail for these lengths
		first, there := r.claims.prefixes[p]
		if there && r.swallows(p, endpoint) && (first.doc != by.doc || first.link != by.link) {
			t.doc.wrong(by.path, fmt.Sprintf("link.endpoint %s is inside %s of another link, at %s: its packets would go into that link", endpoint, p, first.where()), r.mend(p))
			return
		}
	}
}

// othersOutside refuses a prefix of this link with the endpoint of one before it.
func (r *reader) othersOutside(p netip.Prefix, t *table, path string) bool {
	a, first, found := r.claims.endpointIn(p, func(a netip.Addr) bool { return r.swallows(p, a) })
	if found {
		t.doc.wrong(path, fmt.Sprintf("link.allowed: %s has the endpoint %s of another link, at %s: its packets would go into this link", p, a, first.where()), r.mend(p))
	}
	return !found
}

// endpointIn finds an endpoint in a prefix; the smallest, so that a diagnostic does not change from run to run.
func (c *claims) endpointIn(p netip.Prefix, inside func(netip.Addr) bool) (a netip.Addr, by claim, found bool) {
	if p.IsSingleIP() { // the usual case, and there may be thousands of links
		by, found = c.endpoints[p.Addr()]
		return p.Addr(), by, found && inside(p.Addr())
	}
	for e, first := range c.endpoints {
		if inside(e) && (!found || e.Less(a)) {
			a, by, found = e, first, true
		}
	}
	return a, by, found
}

// swallows tells whether the route to a prefix leads the underlay's packets for an address into the link.
// With a mark they do not follow a default route of a link. The zero address, of no endpoint, is in none.
func (r *reader) swallows(p netip.Prefix, a netip.Addr) bool {
	return p.Contains(a.WithZone("")) && (p.Bits() > 0 || r.out.Node.Mark == 0)
}

// mend says what to do about an endpoint inside a prefix.
func (r *reader) mend(p netip.Prefix) string {
	if p.Bits() == 0 {
		return "write node.fwmark = 0x5043, so that the underlay goes past the default route, or leave the endpoint out where the peer is to call"
	}
	return "take it out of allowed and addresses, or leave the endpoint out where the peer is to call"
}
