package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pc5d/policy"
)

// TestIdentity_KeyTypes: a key of either type comes back from its file, has the fingerprint that
// was printed, speaks for its node in a handshake, and makes the same secret each time.
func TestIdentity_KeyTypes(t *testing.T) {
	for _, kind := range []KeyType{Ed25519, P256} {
		t.Run(kind.String(), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			fp, err := GenerateKeyOf(kind, path)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := KeyFingerprint(path); err != nil || again != fp {
				t.Errorf("fingerprint %v, %v; want %v", again, err, fp)
			}
			id, err := LoadIdentity(path, "bob", epoch)
			if err != nil {
				t.Fatal(err)
			}
			alice := honest(t, "alice", 1, pinned{"bob": {fp}})
			bob := node(id, pinned{"alice": {alice.Local().Fingerprint}})
			a, b, errA, errB := meet(t, alice, bob, "bob", []policy.Fingerprint{fp})
			if errA != nil || errB != nil || a.Peer().Fingerprint != fp || b.Peer().Name != "alice" {
				t.Errorf("handshake: %v, %v", errA, errB)
			}
			one, err := id.Secret("kept keys")
			if err != nil {
				t.Fatal(err)
			}
			again, err := LoadIdentity(path, "bob", epoch.Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			two, err := again.Secret("kept keys")
			if other, _ := id.Secret("other"); err != nil || !one.Equal(two) || one.Equal(other) {
				t.Errorf("secrets: %v", err)
			}
		})
	}
}

// TestPublicKey: what a CA gets is the SubjectPublicKeyInfo, and nothing of the private half.
func TestPublicKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	fp, err := GenerateKeyOf(P256, path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := PublicKey(path)
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" || len(rest) > 0 {
		t.Fatalf("not one PUBLIC KEY: %s", text)
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := fingerprint(public); err != nil || got != fp {
		t.Errorf("fingerprint %v, %v; want %v", got, err, fp)
	}
}

// TestIdentity_OtherKeys: keys of other kinds are refused where they come in.
func TestIdentity_OtherKeys(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"P-384": p384, "RSA": strong} {
		if _, err := NewIdentity(key, "bob", epoch); err == nil || !strings.Contains(err.Error(), "P-256 is needed") {
			t.Errorf("%s: %v", name, err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		path := writePEM(t, "PRIVATE KEY", der)
		if _, err := LoadIdentity(path, "bob", epoch); err == nil || !strings.Contains(err.Error(), "pc5ctl key gen") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// opaque is a key that signs and shows nothing else, as one in a TPM.
type opaque struct{ crypto.Signer }

// TestIdentity_AnySigner: a key that does not show its octets authenticates, and says clearly why
// there is no secret.
func TestIdentity_AnySigner(t *testing.T) {
	id, err := NewIdentity(opaque{keyOf(2)}, "bob", epoch)
	if err != nil {
		t.Fatal(err)
	}
	alice := honest(t, "alice", 1, nil)
	_, _, errA, errB := meet(t, alice, node(id, pinned{"alice": {alice.Local().Fingerprint}}), "bob", []policy.Fingerprint{id.fingerprint})
	if errA != nil || errB != nil {
		t.Errorf("handshake: %v, %v", errA, errB)
	}
	if _, err := id.Secret("kept keys"); err == nil || !strings.Contains(err.Error(), "does not show its octets") {
		t.Errorf("secret: %v", err)
	}
}

func writePEM(t testing.TB, kind string, blocks ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pem")
	var text []byte
	for _, der := range blocks {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLoadCertificate: what peers would refuse is refused at the start, in a sentence that says
// what to do.
func TestLoadCertificate(t *testing.T) {
	root := keyOf(9)
	authority := func(change func(*x509.Certificate)) *x509.Certificate {
		return issue(t, template(func(c *x509.Certificate) {
			c.Subject.CommonName, c.IsCA, c.KeyUsage, c.ExtKeyUsage, c.URIs = "fleet", true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign, nil, nil
			change(c)
		}), nil, root.Public(), root)
	}
	ca := authority(func(*x509.Certificate) {})
	other := authority(func(c *x509.Certificate) { c.Subject.CommonName = "other" })
	leaf := func(key crypto.Signer, change func(*x509.Certificate)) []byte {
		return issue(t, template(change), ca, key.Public(), root).Raw
	}
	good := leaf(keyOf(2), func(*x509.Certificate) {})
	for _, c := range []struct {
		name, want string
		blocks     [][]byte
	}{
		{"one", "", [][]byte{good}},
		{"with its CA", "", [][]byte{good, ca.Raw}},
		{"five", "leave the CA itself out", [][]byte{good, ca.Raw, ca.Raw, ca.Raw, ca.Raw}},
		{"of another key", "put the node's own certificate first", [][]byte{leaf(keyOf(3), func(*x509.Certificate) {})}},
		{"CA first", "put the node's own certificate first", [][]byte{ca.Raw, good}},
		{"of another name", `node.name is "bob"`, [][]byte{leaf(keyOf(2), func(c *x509.Certificate) { c.URIs = []*url.URL{NameURI("carol")} })}},
		{"of no name", "the one URI pc5:bob", [][]byte{leaf(keyOf(2), func(c *x509.Certificate) { c.URIs = nil })}},
		{"of two names", "the one URI pc5:bob", [][]byte{leaf(keyOf(2), func(c *x509.Certificate) { c.URIs = append(c.URIs, NameURI("carol")) })}},
		{"client only", "with both", [][]byte{leaf(keyOf(2), func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] })}},
		{"out of order", "leaf first", [][]byte{good, other.Raw}},
		{"too long", "octets, peers take", [][]byte{leaf(keyOf(2), func(c *x509.Certificate) { c.Subject.CommonName = strings.Repeat("x", maxCertificate) })}},
		{"not DER", "certificate 1", [][]byte{{1, 2, 3}}},
		{"empty", "no PEM block", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, err := NewIdentity(keyOf(2), "bob", epoch)
			if err != nil {
				t.Fatal(err)
			}
			id, err = id.LoadCertificate(writePEM(t, "CERTIFICATE", c.blocks...))
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
				return
			}
			if err != nil || len(id.certificate.Certificate) != len(c.blocks) || !id.CertificateEnd().Equal(epoch.Add(time.Hour+skew)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// template is a good leaf of bob, changed.
func template(change func(*x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{
		SerialNumber: big.NewInt(7), NotBefore: epoch.Add(-time.Hour), NotAfter: epoch.Add(time.Hour), BasicConstraintsValid: true,
		URIs: []*url.URL{NameURI("bob")}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	change(c)
	return c
}

// issue signs a certificate; without a parent it is self-signed.
func issue(t testing.TB, c, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
