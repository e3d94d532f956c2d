package daemon

import (
	"cmp"
	"net/netip"
	"slices"
)

// nobody owns what no peer may send from.
const nobody = -1

// ownedPrefix belongs to the link with a number, or to nobody.
type ownedPrefix struct {
	prefix netip.Prefix
	owner  int
}

// excludeSources tells each link which sources inside its prefixes are not its peer's: the longer prefixes
// of other links, and this host's own addresses (T57). No prefix is allowed to two links.
func excludeSources(keepers []*keeper) {
	var all []ownedPrefix
	for i, k := range keepers {
		for _, p := range k.config.Allowed {
			all = append(all, ownedPrefix{p, i})
		}
		for _, p := range k.config.Addresses {
			all = append(all, ownedPrefix{netip.PrefixFrom(p.Addr(), p.Addr().BitLen()), nobody})
		}
	}
	excluded := nestedPrefixes(all)
	for i, k := range keepers {
		k.plane.Exclude(excluded[i])
	}
}

// nestedPrefixes finds by owner what of others is inside its prefixes. In the order of their addresses,
// shorter ones first, those around a prefix are the ones that have begun and not ended.
func nestedPrefixes(all []ownedPrefix) map[int][]netip.Prefix {
	slices.SortFunc(all, func(a, b ownedPrefix) int {
		return cmp.Or(a.prefix.Addr().Compare(b.prefix.Addr()), cmp.Compare(a.prefix.Bits(), b.prefix.Bits()), cmp.Compare(b.owner, a.owner))
	})
	nested := map[int][]netip.Prefix{}
	var around []ownedPrefix
	for _, p := range all {
		for len(around) > 0 && !around[len(around)-1].prefix.Contains(p.prefix.Addr()) {
			around = around[:len(around)-1]
		}
		for _, o := range around {
			inside := nested[o.owner]
			if o.owner == nobody || o.owner == p.owner || len(inside) > 0 && inside[len(inside)-1] == p.prefix {
				continue // equal ones come one after the other
			}
			nested[o.owner] = append(inside, p.prefix)
		}
		around = append(around, p)
	}
	return nested
}
