package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/link"
	"pc5d/policy"
)

// chainCase is a chain that bob shows to alice, and what alice trusts.
type chainCase struct {
	name    string
	want    link.Refusal // 0: admitted
	chain   []*x509.Certificate
	key     crypto.Signer // nil: bob's
	anchors []*authority  // nil: the one CA
	lists   [][]byte
	deny    []policy.Fingerprint
	role    link.Role  // of bob; 0: both
	end     *time.Time // of the CA, where that is first
}

// TestT16_Chains shows generated chains to both parts of a handshake. Each refusal has its own
// reason here; the peer gets the same alert for all of them.
func TestT16_Chains(t *testing.T) {
	cases := chainCases(t)
	if len(cases) < 30 {
		t.Errorf("only %d chains", len(cases))
	}
	alerts := map[string]bool{}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.key == nil {
				c.key = keyOf(2)
			}
			alice := certifying(t, files(t, c.deny, c.lists, c.anchors...).Load)
			bob := showing(t, "bob", c.key, c.chain...)
			if c.role != link.RoleA {
				a, _, err, other := meet(t, alice, bob, "bob", nil)
				c.check(t, "as responder", a, err)
				alerts[alertOf(other)] = true
			}
			if c.role != link.RoleB {
				_, b, other, err := meet(t, bob, alice, "alice", []policy.Fingerprint{alice.Local().Fingerprint})
				c.check(t, "as initiator", b, err)
				_ = other // it hears of it after its own handshake is over
			}
		})
	}
	if len(alerts) > 2 { // none, and one alert
		t.Errorf("the peer can tell refusals apart: %v", alerts)
	}
}

func alertOf(err error) string {
	var refused *link.PeerRefusedError
	if errors.As(err, &refused) {
		return refused.Reason
	}
	return ""
}

func (c chainCase) check(t *testing.T, what string, h link.Handshake, err error) {
	t.Helper()
	if c.want == 0 {
		end := c.chain[0].NotAfter
		for _, other := range c.chain[1:] {
			if other.NotAfter.Before(end) {
				end = other.NotAfter
			}
		}
		if c.end != nil {
			end = *c.end
		}
		if err != nil || h.Peer().Name != "bob" || !h.CertificateEnd().Equal(end.Add(skew)) {
			t.Errorf("%s: %v, peer %v, end %v; want it admitted until %v", what, err, h.Peer(), h.CertificateEnd(), end.Add(skew))
		}
		return
	}
	wantRefused(t, what, h, err)
	var refused *link.RefusedError
	if !errors.As(err, &refused) || refused.Refusal != c.want || refused.Reason == "" {
		t.Errorf("%s: %v (%v), want %v", what, err, refused, c.want)
	}
	wantPrintable(t, err)
}

// chainCases are the chains, by what is asked of them.
func chainCases(t testing.TB) []chainCase {
	day := 24 * time.Hour
	root, second := newAuthority(t, "fleet", nil, keyOf(9), nil), newAuthority(t, "second", nil, p256(t), nil)
	below := newAuthority(t, "below", root, keyOf(8), nil)
	lower := newAuthority(t, "lower", below, keyOf(7), nil)
	lowest := newAuthority(t, "lowest", lower, keyOf(6), nil)
	twin := newAuthority(t, "fleet", nil, keyOf(10), nil) // a stranger's, of the same name
	old := newAuthority(t, "old", nil, keyOf(11), func(c *x509.Certificate) { c.NotAfter = epoch.Add(-time.Minute * 10) })
	flat := newAuthority(t, "flat", nil, keyOf(12), func(c *x509.Certificate) { c.MaxPathLenZero = true })
	underFlat := newAuthority(t, "underflat", flat, keyOf(8), nil)
	changed := func(change func(*x509.Certificate)) *authority {
		return newAuthority(t, "changed", root, keyOf(8), change)
	}
	brief := newAuthority(t, "brief", nil, keyOf(12), func(c *x509.Certificate) { c.NotAfter = epoch.Add(time.Minute) })
	one := newAuthority(t, "one", nil, keyOf(12), func(c *x509.Certificate) { c.MaxPathLen = 1 })
	onlyOne := newAuthority(t, "onlyone", one, keyOf(8), nil)
	renamed := newAuthority(t, "renamed", nil, keyOf(9), nil)
	borrowed := newAuthority(t, "below", newAuthority(t, "below", nil, keyOf(13), nil), keyOf(13), nil)
	named := newAuthority(t, "named", nil, keyOf(12), func(c *x509.Certificate) {
		c.URIs, c.ExtKeyUsage = []*url.URL{NameURI("bob")}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	})
	bob := keyOf(2)
	good, goodBelow := root.leaf(t, bob, nil), below.leaf(t, bob, nil)
	leafOf := func(a *authority, change func(*x509.Certificate)) []*x509.Certificate {
		return []*x509.Certificate{a.leaf(t, bob, change), a.Certificate}
	}
	leaf := func(change func(*x509.Certificate)) []*x509.Certificate {
		return []*x509.Certificate{root.leaf(t, bob, change)}
	}
	critical := func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}}}
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p256Key := p256(t)
	later := epoch.Add(day)
	chain := func(c ...*x509.Certificate) []*x509.Certificate { return c }
	cases := []chainCase{
		{name: "of the CA", chain: chain(good)},
		{name: "of a CA below", chain: chain(goodBelow, below.Certificate)},
		{name: "of a CA three below", chain: chain(lowest.leaf(t, bob, nil), lowest.Certificate, lower.Certificate, below.Certificate)},
		{name: "with the CA itself", chain: chain(goodBelow, below.Certificate, root.Certificate)},
		{name: "of the second CA", chain: chain(second.leaf(t, bob, nil)), anchors: []*authority{root, second}},
		{name: "of the CA that was replaced under its name", chain: chain(good), anchors: []*authority{twin, root}},
		{name: "its end is first", chain: leafOf(root, func(c *x509.Certificate) { c.NotAfter = epoch.Add(time.Minute) })[:1]},
		{name: "its CA below ends first", chain: leafOf(changed(func(c *x509.Certificate) { c.NotAfter = epoch.Add(time.Minute) }), nil)},
		{name: "its CA ends first", chain: chain(brief.leaf(t, bob, nil)), anchors: []*authority{brief}, end: &brief.NotAfter},
		{name: "as long as the CA may be, with it", chain: append(leafOf(onlyOne, nil), one.Certificate), anchors: []*authority{one}},
		{name: "its number on a list of the same key under another name", chain: chain(good), anchors: []*authority{root, renamed}, lists: [][]byte{renamed.revoke(t, later, 7), root.revoke(t, later)}},
		{name: "the new list before an old one", chain: chain(good), lists: [][]byte{root.revoke(t, later), root.revoke(t, epoch.Add(-day))}},
		{name: "a P-256 key", chain: chain(root.leaf(t, p256Key, nil)), key: p256Key},
		{name: "no key usage", chain: leaf(func(c *x509.Certificate) { c.KeyUsage = 0 })},
		{name: "begins within the skew", chain: leaf(func(c *x509.Certificate) { c.NotBefore = epoch.Add(skew) })},
		{name: "ended within the skew", chain: leaf(func(c *x509.Certificate) { c.NotAfter = epoch.Add(time.Second - skew) })},
		{name: "not revoked", chain: chain(good), lists: [][]byte{root.revoke(t, later, 8, 9)}},
		{name: "not revoked, nor its CA", chain: chain(goodBelow, below.Certificate), lists: [][]byte{root.revoke(t, later, 8), below.revoke(t, later, 8)}},
		{name: "the same number of another CA revoked", chain: chain(goodBelow, below.Certificate), lists: [][]byte{root.revoke(t, later, 7), below.revoke(t, later)}},
		{name: "an old list beside the new", chain: chain(good), lists: [][]byte{root.revoke(t, epoch.Add(-day)), root.revoke(t, later)}},

		{name: "begins later", want: link.RefusedNotYetValid, chain: leaf(func(c *x509.Certificate) { c.NotBefore = epoch.Add(skew + time.Second) })},
		{name: "ended", want: link.RefusedExpired, chain: leaf(func(c *x509.Certificate) { c.NotAfter = epoch.Add(-skew) })},
		{name: "its CA below begins later", want: link.RefusedNotYetValid, chain: leafOf(changed(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = later, later.Add(day) }), nil)},
		{name: "its CA below ended", want: link.RefusedExpired, chain: leafOf(changed(func(c *x509.Certificate) { c.NotAfter = epoch.Add(-skew) }), nil)},
		{name: "its CA ended", want: link.RefusedExpired, chain: chain(old.leaf(t, bob, nil)), anchors: []*authority{old}},
		{name: "of an unknown CA", want: link.RefusedUnknownAuthority, chain: chain(second.leaf(t, bob, nil))},
		{name: "of an unknown CA, with it", want: link.RefusedUnknownAuthority, chain: leafOf(second, nil)},
		{name: "self-signed", want: link.RefusedUnknownAuthority, chain: chain(issue(t, template(func(c *x509.Certificate) { c.Subject.CommonName = "bob" }), nil, bob.Public(), bob))},
		{name: "CA below left out", want: link.RefusedUnknownAuthority, chain: chain(goodBelow)},
		{name: "of a stranger of the CA's name", want: link.RefusedBrokenChain, chain: chain(twin.leaf(t, bob, nil))},
		{name: "out of order", want: link.RefusedBrokenChain, chain: chain(lower.leaf(t, bob, nil), below.Certificate, lower.Certificate), anchors: []*authority{below}},
		{name: "a stranger between", want: link.RefusedBrokenChain, chain: chain(good, below.Certificate)},
		{name: "signature altered", want: link.RefusedBrokenChain, chain: chain(altered(t, good))},
		{name: "a borrowed name between", want: link.RefusedBrokenChain, chain: chain(goodBelow, borrowed.Certificate, below.Certificate)},
		{name: "issued by no CA that may sign", want: link.RefusedNoAuthority, chain: leafOf(changed(func(c *x509.Certificate) { c.IsCA = false }), nil)},
		{name: "the CA itself", want: link.RefusedKeyUsage, chain: chain(named.Certificate), key: keyOf(12), anchors: []*authority{named}},
		{name: "issued by a peer", want: link.RefusedNoAuthority, chain: leafOf(changed(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature }), nil)},
		{name: "issued by a CA that may not", want: link.RefusedNoAuthority, chain: leafOf(changed(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }), nil)},
		{name: "too long for the CA", want: link.RefusedPathLength, chain: leafOf(underFlat, nil), anchors: []*authority{flat}},
		{name: "a CA", want: link.RefusedKeyUsage, chain: leaf(func(c *x509.Certificate) { c.IsCA = true })},
		{name: "for key encipherment", want: link.RefusedKeyUsage, chain: leaf(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })},
		{name: "for a client", want: link.RefusedExtendedKeyUsage, role: link.RoleB, chain: leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })},
		{name: "for a server", want: link.RefusedExtendedKeyUsage, role: link.RoleA, chain: leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })},
		{name: "for mail", want: link.RefusedExtendedKeyUsage, chain: leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} })},
		{name: "for anything", want: link.RefusedExtendedKeyUsage, chain: leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} })},
		{name: "for nothing written", want: link.RefusedExtendedKeyUsage, chain: leaf(func(c *x509.Certificate) { c.ExtKeyUsage = nil })},
		{name: "its CA is for mail", want: link.RefusedExtendedKeyUsage, chain: leafOf(changed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} }), nil)},
		{name: "its CA has names", want: link.RefusedNameConstraints, chain: leafOf(changed(func(c *x509.Certificate) { c.PermittedURIDomains = []string{"example.org"} }), nil)},
		{name: "critical extension", want: link.RefusedExtension, chain: leaf(critical)},
		{name: "critical extension of its CA", want: link.RefusedExtension, chain: leafOf(changed(critical), nil)},
		{name: "revoked", want: link.RefusedRevoked, chain: chain(good), lists: [][]byte{root.revoke(t, later, 7)}},
		{name: "revoked by an old list", want: link.RefusedRevoked, chain: chain(good), lists: [][]byte{root.revoke(t, epoch.Add(-day), 7), root.revoke(t, later)}},
		{name: "its CA revoked", want: link.RefusedRevoked, chain: chain(goodBelow, below.Certificate), lists: [][]byte{below.revoke(t, later), root.revoke(t, later, below.SerialNumber.Int64())}},
		{name: "no list of its CA", want: link.RefusedNoRevocationList, chain: chain(goodBelow, below.Certificate), lists: [][]byte{root.revoke(t, later)}},
		{name: "a stranger's list", want: link.RefusedNoRevocationList, chain: chain(goodBelow, below.Certificate), lists: [][]byte{root.revoke(t, later), newAuthority(t, "below", nil, keyOf(13), nil).revoke(t, later)}},
		{name: "old list", want: link.RefusedOldRevocationList, chain: chain(good), lists: [][]byte{root.revoke(t, epoch.Add(-skew-time.Second))}},
		{name: "denied", want: link.RefusedDenied, chain: chain(good), deny: []policy.Fingerprint{spki(good)}},
		{name: "its CA below denied", want: link.RefusedDenied, chain: chain(goodBelow, below.Certificate), deny: []policy.Fingerprint{spki(below.Certificate)}},
		{name: "its CA denied", want: link.RefusedDenied, chain: chain(good), deny: []policy.Fingerprint{spki(root.Certificate)}},
		{name: "RSA", want: link.RefusedKeyType, chain: chain(root.leaf(t, strong, nil)), key: strong},
		{name: "P-384", want: link.RefusedKeyType, chain: chain(root.leaf(t, p384, nil)), key: p384},
		{name: "alice's own name", want: link.RefusedOwnIdentity, chain: leaf(func(c *x509.Certificate) { c.URIs = []*url.URL{NameURI("alice")} })},
		{name: "carol's", want: link.RefusedOtherName, role: link.RoleB, chain: leaf(func(c *x509.Certificate) { c.URIs = []*url.URL{NameURI("carol")} })},
		{name: "carol's, calling", want: link.RefusedNotProvisioned, role: link.RoleA, chain: leaf(func(c *x509.Certificate) { c.URIs = []*url.URL{NameURI("carol")} })},
		{name: "common name only", want: link.RefusedName, chain: leaf(func(c *x509.Certificate) { c.URIs, c.Subject.CommonName = nil, "bob" })},
		{name: "two names", want: link.RefusedName, chain: leaf(func(c *x509.Certificate) { c.URIs = append(c.URIs, NameURI("carol")) })},
	}
	for i := range cases {
		if cases[i].anchors == nil {
			cases[i].anchors = []*authority{root}
		}
	}
	return cases
}

// altered flips one bit of a certificate's signature.
func altered(t testing.TB, c *x509.Certificate) *x509.Certificate {
	t.Helper()
	der := bytes.Clone(c.Raw)
	der[len(der)-1] ^= 1
	other, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return other
}

// TestT16_ECDSATwin: from a certificate that was signed by ECDSA anybody makes another one with
// other octets, of which the signature is as good. It is refused where the first one is.
func TestT16_ECDSATwin(t *testing.T) {
	root := newAuthority(t, "fleet", nil, p256(t), nil)
	good := root.leaf(t, keyOf(2), nil)
	twin := twinOf(t, good)
	if bytes.Equal(twin.Raw, good.Raw) || sha256.Sum256(twin.Raw) == sha256.Sum256(good.Raw) || twin.CheckSignatureFrom(root.Certificate) != nil {
		t.Fatal("the twin is none")
	}
	for _, c := range []chainCase{
		{name: "nothing said", want: 0},
		{name: "denied", want: link.RefusedDenied, deny: []policy.Fingerprint{spki(good)}},
		{name: "revoked", want: link.RefusedRevoked, lists: [][]byte{root.revoke(t, epoch.Add(time.Hour), 7)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			alice := certifying(t, files(t, c.deny, c.lists, root).Load)
			for _, shown := range []*x509.Certificate{good, twin} {
				c.chain = []*x509.Certificate{shown}
				a, _, err, _ := meet(t, alice, showing(t, "bob", keyOf(2), shown), "bob", nil)
				c.check(t, "as responder", a, err)
			}
		})
	}
}

// twinOf replaces the signature (r, s) of a certificate by (r, n-s).
func twinOf(t *testing.T, c *x509.Certificate) *x509.Certificate {
	t.Helper()
	var outer struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(c.Raw, &outer); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(outer.Signature.Bytes, &pair); err != nil {
		t.Fatal(err)
	}
	pair.S.Sub(elliptic.P256().Params().N, pair.S)
	signature, err := asn1.Marshal(pair)
	if err != nil {
		t.Fatal(err)
	}
	outer.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	der, err := asn1.Marshal(outer)
	if err != nil {
		t.Fatal(err)
	}
	twin, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return twin
}

// TestT16_DeniedPin: a denied key is refused also where it is pinned.
func TestT16_DeniedPin(t *testing.T) {
	pin := fingerprintOf(t, keyOf(2))
	identity, err := NewIdentity(keyOf(1), "alice", epoch)
	if err != nil {
		t.Fatal(err)
	}
	denied := false
	alice := New(Config{
		Identity: identity, Trust: pinned{"bob": {pin}}, Now: func() time.Time { return epoch }, Curves: Classic(),
		Authorities: func() (*Authorities, error) {
			if !denied {
				return TrustFiles{}.Load()
			}
			return TrustFiles{Deny: []policy.Fingerprint{pin}}.Load()
		},
	})
	bob := honest(t, "bob", 2, pinned{"alice": {alice.Local().Fingerprint}})
	a, _, err, _ := meet(t, alice, bob, "bob", []policy.Fingerprint{pin})
	if err != nil || alice.Admits(a.Peer()) != nil || !a.CertificateEnd().IsZero() {
		t.Fatalf("before: %v", err)
	}
	denied = true
	if err := alice.Reload(); err != nil {
		t.Fatal(err)
	}
	if alice.Admits(a.Peer()) == nil {
		t.Error("the live peer is still admitted")
	}
	c := chainCase{want: link.RefusedDenied}
	a, _, err, _ = meet(t, alice, bob, "bob", []policy.Fingerprint{pin})
	c.check(t, "as responder", a, err)
	_, b, _, err := meet(t, bob, alice, "alice", []policy.Fingerprint{alice.Local().Fingerprint})
	c.check(t, "as initiator", b, err)
}

// TestT16_Reload: what admits peers changes whole or not at all, and who was admitted is judged again.
func TestT16_Reload(t *testing.T) {
	root := newAuthority(t, "fleet", nil, keyOf(9), nil)
	trust, broken := files(t, nil, nil, root), error(nil)
	alice := certifying(t, func() (*Authorities, error) {
		if broken != nil {
			return nil, broken
		}
		return trust.Load()
	})
	bob := showing(t, "bob", keyOf(2), root.leaf(t, keyOf(2), nil))
	a, _, err, _ := meet(t, alice, bob, "bob", nil)
	if err != nil {
		t.Fatal(err)
	}
	peer := a.Peer()
	for _, step := range []struct {
		name string
		do   func()
		want link.Refusal
	}{
		{"nothing changed", func() {}, 0},
		{"a list without it", func() { trust = files(t, nil, [][]byte{root.revoke(t, epoch.Add(time.Hour), 8)}, root) }, 0},
		{"revoked", func() { trust = files(t, nil, [][]byte{root.revoke(t, epoch.Add(time.Hour), 7)}, root) }, link.RefusedRevoked},
		{"denied", func() { trust = files(t, []policy.Fingerprint{peer.Fingerprint}, nil, root) }, link.RefusedDenied},
		{"another CA", func() { trust = files(t, nil, nil, newAuthority(t, "other", nil, keyOf(10), nil)) }, link.RefusedUnknownAuthority},
		{"broken", func() { broken = errors.New("file is missing") }, link.RefusedUnknownAuthority},
		{"back", func() { broken, trust = nil, files(t, nil, nil, root) }, 0},
	} {
		step.do()
		if err := alice.Reload(); (err != nil) != (broken != nil) {
			t.Errorf("%s: reload: %v", step.name, err)
		}
		err := alice.Admits(peer)
		var refused *link.RefusedError
		if (err == nil) != (step.want == 0) || errors.As(err, &refused) && refused.Refusal != step.want {
			t.Errorf("%s: %v, want %v", step.name, err, step.want)
		}
	}
	if err := alice.Admits(link.Peer{Name: "bob", Fingerprint: policy.Fingerprint{1}}); err == nil || !strings.Contains(err.Error(), "not known any more") {
		t.Errorf("a key that was never shown: %v", err)
	}
}

// TestT16_TrustFiles: files that cannot be trusted are refused whole.
func TestT16_TrustFiles(t *testing.T) {
	root := newAuthority(t, "fleet", nil, keyOf(9), nil)
	stranger := newAuthority(t, "fleet", nil, keyOf(10), nil)
	list := func(change func(*x509.RevocationList)) [][]byte {
		l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: epoch, NextUpdate: epoch.Add(time.Hour)}
		change(l)
		der, err := x509.CreateRevocationList(rand.Reader, l, root.Certificate, root.key)
		if err != nil {
			t.Fatal(err)
		}
		return [][]byte{der}
	}
	partition := pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 0}}
	for _, c := range []struct {
		name, want string
		files      TrustFiles
	}{
		{"a peer for a CA", "is not a CA's", TrustFiles{CA: []string{writePEM(t, pemCertificate, root.leaf(t, keyOf(2), nil).Raw)}}},
		{"a CA that may not sign", "may not sign", files(t, nil, nil, newAuthority(t, "x", nil, keyOf(9), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }))},
		{"a CA with an unknown extension", "unknown here", files(t, nil, nil, newAuthority(t, "x", nil, keyOf(9), func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}}}
		}))},
		{"list without an end", "next update", files(t, nil, [][]byte{endless(t, root)}, root)},
		{"a key for a CA", `only "CERTIFICATE" belongs there`, TrustFiles{CA: []string{writePEM(t, pemKey, []byte{1})}}},
		{"no file", "bring it from the CA", TrustFiles{CA: []string{"/nonexistent"}}},
		{"forged list", "did not sign it", files(t, nil, [][]byte{stranger.revoke(t, epoch.Add(time.Hour))}, root)},
		{"list of a part", "critical extension", files(t, nil, list(func(l *x509.RevocationList) { l.ExtraExtensions = []pkix.Extension{partition} }), root)},
		{"list of a part that does not say so loudly", "covers a part", files(t, nil, list(func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: partition.Id, Value: partition.Value}}
		}), root)},
		{"changes since another list", "covers a part", files(t, nil, list(func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Value: []byte{2, 1, 1}}}
		}), root)},
		{"a file that ends too early", "cannot be read", TrustFiles{CRL: []string{cutShort(t, pemRevocationList, root.revoke(t, epoch.Add(time.Hour)), root.revoke(t, epoch.Add(time.Hour), 7))}}},
		{"a CA in a file that ends too early", "cannot be read", TrustFiles{CA: []string{cutShort(t, pemCertificate, root.Raw, stranger.Raw)}}},
		{"entry of another issuer", "critical extension", files(t, nil, list(func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(7), RevocationTime: epoch, ExtraExtensions: []pkix.Extension{partition}}}
		}), root)},
	} {
		if _, err := c.files.Load(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// endless is a list that does not say when it is replaced, which package x509 does not make.
func endless(t *testing.T, a *authority) []byte {
	t.Helper()
	type tbs struct {
		Version    int
		Signature  asn1.RawValue
		Issuer     asn1.RawValue
		ThisUpdate time.Time
		NextUpdate time.Time `asn1:"optional"`
		Extensions asn1.RawValue
	}
	type outer struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	var o outer
	var l tbs
	if _, err := asn1.Unmarshal(a.revoke(t, epoch.Add(time.Hour)), &o); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(o.TBS.FullBytes, &l); err != nil {
		t.Fatal(err)
	}
	inner, err := asn1.Marshal(struct {
		Version    int
		Signature  asn1.RawValue
		Issuer     asn1.RawValue
		ThisUpdate time.Time
		Extensions asn1.RawValue
	}{l.Version, l.Signature, l.Issuer, l.ThisUpdate, l.Extensions})
	if err != nil {
		t.Fatal(err)
	}
	signature, err := a.key.Sign(rand.Reader, inner, crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal(outer{asn1.RawValue{FullBytes: inner}, o.Algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestT17_OversizeChain: too many certificates, or one that is too large, are refused before
// anything is asked of them; a flight over the limit before it is read.
func TestT17_OversizeChain(t *testing.T) {
	root := newAuthority(t, "fleet", nil, keyOf(9), nil)
	good := root.leaf(t, keyOf(2), nil)
	large := root.leaf(t, keyOf(2), func(c *x509.Certificate) { c.Subject.CommonName = strings.Repeat("x", maxCertificate) })
	for _, c := range []chainCase{
		{name: "four", want: link.RefusedBrokenChain, chain: []*x509.Certificate{good, good, good, good}},
		{name: "five", want: link.RefusedChain, chain: []*x509.Certificate{good, good, good, good, good}},
		{name: "large", want: link.RefusedChain, chain: []*x509.Certificate{large}},
		{name: "large behind", want: link.RefusedChain, chain: []*x509.Certificate{good, large}},
	} {
		t.Run(c.name, func(t *testing.T) {
			alice, bob := certifying(t, files(t, nil, nil, root).Load), showing(t, "bob", keyOf(2), c.chain...)
			a, _, err, _ := meet(t, alice, bob, "bob", nil)
			c.check(t, "as responder", a, err)
			_, b, _, err := meet(t, bob, alice, "alice", []policy.Fingerprint{alice.Local().Fingerprint})
			c.check(t, "as initiator", b, err)
		})
	}
}

// TestT17_OversizeFlight: a handshake takes no more octets of its peer than one direction may have,
// in one flight or in many.
func TestT17_OversizeFlight(t *testing.T) {
	alice := honest(t, "alice", 1, nil)
	for _, size := range []int{kei.MaxTotal + 1, 1000} {
		h, err := alice.Respond()
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		// One record that says to be long, so that TLS goes on waiting for the rest of a message.
		flight, sent := append([]byte{22, 3, 1, 0x40, 0, 1, 0, 0x40, 0}, make([]byte, size-9)...), 0
		for sent <= kei.MaxTotal && err == nil {
			_, err = h.Feed(flight)
			sent += len(flight)
			flight = make([]byte, size)
		}
		var refused *link.RefusedError
		if !errors.As(err, &refused) || refused.Refusal != link.RefusedFlight {
			t.Errorf("after %d octets: %v", sent, err)
		}
	}
}

// cutShort writes blocks, the last of which lost its end on the way.
func cutShort(t *testing.T, kind string, blocks ...[]byte) string {
	t.Helper()
	path := writePEM(t, kind, blocks...)
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, text[:len(text)-40], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}
