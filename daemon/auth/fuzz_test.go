package auth

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"pc5d/daemon/link"
)

// FuzzCertificateCheck shows any certificates to the function that verifies every peer, at any time and in
// either part. It never panics; what it refuses has a reason; and what it admits is bob, by a chain
// of signatures that this test checks with the keys themselves, inside its dates, for that part, with
// a number that is not on the list.
func FuzzCertificateCheck(f *testing.F) {
	root := newAuthority(f, "fleet", nil, keyOf(9), nil)
	authorities, err := files(f, nil, [][]byte{root.revoke(f, epoch.Add(24*time.Hour), 99)}, root).Load()
	if err != nil {
		f.Fatal(err)
	}
	relaxed, err := files(f, nil, nil, root).Load() // asks nothing about revocation
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range chainCases(f) {
		var der []byte
		for _, shown := range c.chain {
			der = append(der, shown.Raw...)
		}
		f.Add(der, uint8(1), int32(0))
		f.Add(der, uint8(2), int32(0))
	}
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	f.Fuzz(func(t *testing.T, der []byte, part uint8, minutes int32) {
		chain, err := x509.ParseCertificates(der)
		if err != nil || len(chain) == 0 {
			return
		}
		now, usage, judge := epoch.Add(time.Duration(minutes)*time.Minute), usages[part&1], authorities
		if part&2 != 0 {
			judge = relaxed
		}
		v := &verifier{
			local: link.Peer{Name: "alice"}, unpinned: noName, certified: func(name string) bool { return name == "bob" }, pins: pinned{}.Pinned,
			authorities: func() *Authorities { return judge }, usage: usage, now: func() time.Time { return now },
		}
		c, err := v.verify(tls.ConnectionState{Version: tls.VersionTLS13, NegotiatedProtocol: alpn, PeerCertificates: chain})
		if err != nil {
			refused, ok := err.(*link.RefusedError)
			if !ok || refused.Refusal == 0 || refused.Reason == "" || c.peer != (link.Peer{}) || len(c.chain) > 0 {
				t.Errorf("refused without a reason, or only half: %v, %v", err, c)
			}
			return
		}
		leaf := chain[0]
		switch {
		case c.peer.Name != "bob" || len(leaf.URIs) != 1 || leaf.URIs[0].String() != "pc5:bob":
			t.Errorf("admitted %v with %v", c.peer, leaf.URIs)
		case len(chain) > maxChain || !signedBy(leaf, 9, 8, 7, 6):
			t.Error("admitted a chain that nobody signed")
		case now.Before(leaf.NotBefore.Add(-skew)) || !now.Before(leaf.NotAfter.Add(skew)) || !now.Before(c.end):
			t.Errorf("admitted at %v, valid from %v to %v, end %v", now, leaf.NotBefore, leaf.NotAfter, c.end)
		case !slices.Contains(leaf.ExtKeyUsage, usage) || leaf.IsCA:
			t.Errorf("admitted for %v", leaf.ExtKeyUsage)
		case judge == authorities && leaf.SerialNumber.Int64() == 99:
			t.Error("admitted what is revoked")
		}
	})
}

// signedBy tells whether one of the keys by seed has signed a certificate.
func signedBy(c *x509.Certificate, seeds ...byte) bool {
	return c.SignatureAlgorithm == x509.PureEd25519 && slices.ContainsFunc(seeds, func(seed byte) bool {
		return ed25519.Verify(keyOf(seed).Public().(ed25519.PublicKey), c.RawTBSCertificate, c.Signature)
	})
}
