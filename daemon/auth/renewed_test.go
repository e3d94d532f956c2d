package auth

import (
	"crypto/x509"
	"math/big"
	"slices"
	"testing"
	"time"

	"pc5d/daemon/link"
)

// TestT16_RenewedCA: a CA that got another certificate for its name and key stands in node.ca twice for a
// while. Whichever comes first, and whichever the peer shows, what one of them speaks for is admitted, until
// the later end; what both are against is not.
func TestT16_RenewedCA(t *testing.T) {
	key := keyOf(9)
	ca := func(serial int64, begin, end time.Time) *authority {
		return newAuthority(t, "fleet", nil, key, func(c *x509.Certificate) {
			c.SerialNumber, c.NotBefore, c.NotAfter, c.MaxPathLenZero = big.NewInt(serial), begin, end, true
		})
	}
	day := 24 * time.Hour
	over, soon := ca(200, epoch.Add(-9*day), epoch.Add(-day)), ca(201, epoch.Add(-8*day), epoch.Add(30*time.Minute))
	renewed := ca(202, epoch.Add(-day), epoch.Add(9*day))
	leaf := renewed.leaf(t, keyOf(2), nil) // ends in an hour
	for _, c := range []struct {
		name    string
		anchors []*authority
		shown   *authority // beside the leaf
		lists   [][]byte
		want    link.Refusal
		end     time.Time
	}{
		{name: "the old one is over", anchors: []*authority{over, renewed}, end: leaf.NotAfter},
		{name: "the old one is over, the new one shown", anchors: []*authority{over, renewed}, shown: renewed, end: leaf.NotAfter},
		{name: "the old one ends soon", anchors: []*authority{soon, renewed}, end: leaf.NotAfter},
		{name: "the old one shown", anchors: []*authority{soon, renewed}, shown: soon, end: soon.NotAfter},
		{name: "both over", anchors: []*authority{over, over}, want: link.RefusedExpired},
		{name: "revoked", anchors: []*authority{over, soon, renewed}, lists: [][]byte{soon.revoke(t, epoch.Add(day), 7)}, want: link.RefusedRevoked},
	} {
		for range 2 {
			slices.Reverse(c.anchors)
			a, err := files(t, nil, c.lists, c.anchors...).Load()
			if err != nil {
				t.Fatal(err)
			}
			chain := []*x509.Certificate{leaf}
			if c.shown != nil {
				chain = append(chain, c.shown.Certificate)
			}
			end, f := a.judge(epoch, chain, x509.ExtKeyUsageClientAuth)
			if f.refusal != c.want && !(c.want == link.RefusedRevoked && f.bad()) {
				t.Errorf("%s, %d first: %v, want %v", c.name, c.anchors[0].SerialNumber, f, c.want)
			}
			if c.want == 0 && !end.Equal(c.end.Add(skew)) {
				t.Errorf("%s, %d first: ends at %v, want %v", c.name, c.anchors[0].SerialNumber, end, c.end.Add(skew))
			}
		}
	}
}

// TestC8_ListsAreVerifiedOnce: a list of a CA of this node is hashed when it is read. Each peer with a
// certificate could else make this end hash a megabyte for each of its handshakes.
func TestC8_ListsAreVerifiedOnce(t *testing.T) {
	root := newAuthority(t, "fleet", nil, keyOf(9), nil)
	twin := newAuthority(t, "fleet", nil, keyOf(9), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	a, err := files(t, nil, [][]byte{root.revoke(t, epoch.Add(24*time.Hour), 8)}, root).Load()
	if err != nil {
		t.Fatal(err)
	}
	list := a.lists[0]
	if list.by(twin.Certificate) {
		t.Error("a list by who may not sign lists")
	}
	list.list.Signature[10] ^= 1 // whoever looks again, sees it
	if _, f := a.judge(epoch, []*x509.Certificate{root.leaf(t, keyOf(2), nil)}, x509.ExtKeyUsageClientAuth); f.bad() {
		t.Errorf("the list was verified again: %v", f)
	}
}
