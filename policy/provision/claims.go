package provision

import (
	"fmt"
	"maps"
	"net/netip"
)

// claims are what only one link may have, and who has it. The first one read keeps it; prefixes
// clash only where they are equal, because the longer of two nested ones has its packets, there and back.
type claims struct {
	names     map[string]claim
	services  map[[2]string]claim
	prefixes  map[netip.Prefix]claim // routes
	endpoints map[netip.Addr]claim
	trusts    map[string]trusted // by peer
}

type claim struct {
	doc  *document // nil: of a link that runs already
	path string    // or its name
	link string    // path of the link; with doc it tells links apart
}

func (c claim) where() string {
	if c.doc == nil {
		return "link " + c.path
	}
	return c.doc.where(c.path)
}

func newClaims() *claims {
	return &claims{names: map[string]claim{}, services: map[[2]string]claim{}, prefixes: map[netip.Prefix]claim{}, endpoints: map[netip.Addr]claim{}, trusts: map[string]trusted{}}
}

// claimsOf are the claims of links that run already.
func claimsOf(links []Link) *claims {
	c := newClaims()
	for _, l := range links {
		by := claim{path: l.Name}
		c.names[l.Name], c.services[[2]string{l.Peer, l.Service}], c.trusts[l.Peer] = by, by, trusted{l.Trust, by}
		if l.Endpoint.IsValid() {
			c.endpoints[l.Endpoint.Addr()] = by
		}
		for _, p := range l.Addresses {
			if !p.IsSingleIP() {
				c.prefixes[p.Masked()] = by
			}
		}
		for _, p := range l.Allowed {
			c.prefixes[p] = by
		}
	}
	return c
}

func (c *claims) clone() *claims {
	return &claims{names: maps.Clone(c.names), services: maps.Clone(c.services), prefixes: maps.Clone(c.prefixes), endpoints: maps.Clone(c.endpoints), trusts: maps.Clone(c.trusts)}
}

// take claims key, or reports at the path who has it.
func take[K comparable](owners map[K]claim, key K, c claim, what, hint string) bool {
	if first, taken := owners[key]; taken {
		c.doc.wrong(c.path, fmt.Sprintf("%s is taken already, at %s", what, first.where()), hint)
		return false
	}
	owners[key] = c
	return true
}

func (c *claims) name(name string, t *table) bool {
	return take(c.names, name, t.claim(t.at("name")), fmt.Sprintf("link.name %q", name), "choose another name")
}

// service reports at the first of peer, service and name that is written.
func (c *claims) service(peer, service string, t *table) {
	path := t.path
	for _, key := range []string{"name", "service", "peer"} {
		if _, written := t.values[key]; written {
			path = t.at(key)
		}
	}
	take(c.services, [2]string{peer, service}, t.claim(path), fmt.Sprintf("peer %q with service %q", peer, service), "give one of the links another service")
}

// claim is made by the value at a path of a link.
func (t *table) claim(path string) claim { return claim{doc: t.doc, path: path, link: t.path} }

func (c *claims) prefix(p netip.Prefix, t *table, path string) bool {
	return c.route(p, t.claim(path), fmt.Sprintf("link.allowed: %s", p), "one prefix belongs to one link")
}

func (c *claims) network(p netip.Prefix, t *table, path string) bool {
	hint := fmt.Sprintf("one prefix belongs to one link: write \"%s/%d\" for the address alone", p.Addr(), p.Addr().BitLen())
	return c.route(p.Masked(), t.claim(path), fmt.Sprintf("link.addresses: the network %s", p.Masked()), hint)
}

// route claims a prefix, which may be a link's twice: as the network of its address, and as allowed.
func (c *claims) route(p netip.Prefix, by claim, what, hint string) bool {
	if first, taken := c.prefixes[p]; taken && first.doc == by.doc && first.link == by.link {
		return true
	}
	return take(c.prefixes, p, by, what, hint)
}
