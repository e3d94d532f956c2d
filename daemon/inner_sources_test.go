package daemon

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestT57_NestedPrefixes: a link knows what of others is inside its prefixes, own addresses included.
func TestT57_NestedPrefixes(t *testing.T) {
	owned := func(owner int, prefixes ...string) (all []ownedPrefix) {
		for _, p := range prefixes {
			all = append(all, ownedPrefix{netip.MustParsePrefix(p), owner})
		}
		return all
	}
	var all []ownedPrefix
	all = append(all, owned(0, "0.0.0.0/0", "::/0", "10.7.9.0/24")...)
	all = append(all, owned(1, "10.7.0.0/16", "192.0.2.0/24")...)
	all = append(all, owned(2, "10.7.1.1/32", "fd07::/64")...)
	all = append(all, owned(nobody, "10.7.1.2/32", "10.7.1.2/32", "192.0.2.0/32", "10.7.1.1/32")...)
	want := map[int][]string{
		0: {"10.7.0.0/16", "10.7.1.1/32", "10.7.1.2/32", "192.0.2.0/24", "192.0.2.0/32", "fd07::/64"},
		1: {"10.7.1.1/32", "10.7.1.2/32", "10.7.9.0/24", "192.0.2.0/32"},
		2: {"10.7.1.1/32"}, // this host's own: nobody else's
	}
	got := map[int][]string{}
	for owner, prefixes := range nestedPrefixes(all) {
		for _, p := range prefixes {
			got[owner] = append(got[owner], p.String())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nested (-want +got):\n%s", diff)
	}
}
