package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"pc5d/policy"
)

// authority is a CA of the tests.
type authority struct {
	*x509.Certificate
	key crypto.Signer
}

// newAuthority makes a CA, self-signed or below another one.
func newAuthority(t testing.TB, name string, parent *authority, key crypto.Signer, change func(*x509.Certificate)) *authority {
	t.Helper()
	c := template(func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.KeyUsage, c.ExtKeyUsage, c.URIs = name, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign, nil, nil
		c.SerialNumber = big.NewInt(int64(len(name)) + 100)
		if change != nil {
			change(c)
		}
	})
	if parent == nil {
		return &authority{issue(t, c, nil, key.Public(), key), key}
	}
	return &authority{issue(t, c, parent.Certificate, key.Public(), parent.key), key}
}

// leaf issues a certificate of bob.
func (a *authority) leaf(t testing.TB, key crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	if change == nil {
		change = func(*x509.Certificate) {}
	}
	return issue(t, template(change), a.Certificate, key.Public(), a.key)
}

// revoke makes a list of the serial numbers.
func (a *authority) revoke(t testing.TB, next time.Time, serials ...int64) []byte {
	t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: next.Add(-48 * time.Hour), NextUpdate: next}
	for _, s := range serials {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(s), RevocationTime: epoch.Add(-time.Minute)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.Certificate, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// files writes what a node trusts.
func files(t testing.TB, deny []policy.Fingerprint, lists [][]byte, anchors ...*authority) TrustFiles {
	t.Helper()
	f := TrustFiles{Deny: deny}
	for _, a := range anchors {
		f.CA = append(f.CA, writePEM(t, pemCertificate, a.Raw))
	}
	if len(lists) > 0 {
		f.CRL = append(f.CRL, writePEM(t, pemRevocationList, lists...))
	}
	return f
}

// certifying makes alice, who trusts bob by certificate.
func certifying(t testing.TB, load func() (*Authorities, error)) *Authentication {
	t.Helper()
	identity, err := NewIdentity(keyOf(1), "alice", epoch)
	if err != nil {
		t.Fatal(err)
	}
	a := New(Config{
		Identity: identity, Trust: pinned{}, Certified: func(name string) bool { return name == "bob" }, Authorities: load,
		Now: func() time.Time { return epoch }, Curves: Classic(),
	})
	if err := a.Reload(); err != nil {
		t.Fatal(err)
	}
	return a
}

// showing makes a node that shows a chain and pins alice.
func showing(t testing.TB, name string, key crypto.Signer, chain ...*x509.Certificate) *Authentication {
	t.Helper()
	id := &Identity{name: name, certificate: tls.Certificate{PrivateKey: key}}
	for _, c := range chain {
		id.certificate.Certificate = append(id.certificate.Certificate, c.Raw)
	}
	return node(id, pinned{"alice": {fingerprintOf(t, keyOf(1))}})
}

func p256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
