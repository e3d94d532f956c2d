package auth

import (
	"crypto"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net/url"
	"time"

	"pc5d/daemon/keys"
	"pc5d/policy"
)

const (
	scheme = "pc5"

	// The certificate that a node makes for itself is only a vessel for the key: made at each start,
	// trusted by pin. It is valid a century either way, so that a start before the clock was set costs
	// nothing (T76).
	validity = 100 * 365 * 24 * time.Hour
)

// Identity is this node's name, its long-term key, and the certificates that it shows. The key may
// be any crypto.Signer whose public half is of a KeyType.
type Identity struct {
	name        string
	fingerprint policy.Fingerprint
	certificate tls.Certificate
	end         time.Time // of the issued certificates; zero: self-signed
}

// LoadIdentity reads the key of a node and makes its certificate.
func LoadIdentity(path, name string, now time.Time) (*Identity, error) {
	key, err := LoadKey(path)
	if err != nil {
		return nil, err
	}
	return NewIdentity(key, name, now)
}

// NewIdentity makes an identity from a key, with a certificate that the key signs itself.
func NewIdentity(key crypto.Signer, name string, now time.Time) (*Identity, error) {
	if !SupportedKey(key.Public()) {
		return nil, fmt.Errorf("identity %q: a key of type %T: Ed25519 or ECDSA P-256 is needed", name, key.Public())
	}
	fp, err := fingerprint(key.Public())
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    now.Add(-validity),
		NotAfter:     now.Add(validity),
		URIs:         []*url.URL{NameURI(name)},
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("certificate of %q: %w", name, err)
	}
	return &Identity{name: name, fingerprint: fp, certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}, nil
}

// NameURI is the one spelling of a name as the URI of a certificate.
func NameURI(name string) *url.URL { return &url.URL{Scheme: scheme, Opaque: url.PathEscape(name)} }

// CertificateEnd tells from when on the issued certificates are not admitted any more. It is zero
// for a self-signed one, which is as good as its pin.
func (id *Identity) CertificateEnd() time.Time { return id.end }

// Secret derives a secret for a purpose of this node alone from its long-term key, without a
// trace of the key in it. It fails where the key does not show its octets: a secret that only a
// signature could be made of is not there with every kind of key, because ECDSA signs at random.
func (id *Identity) Secret(purpose string) (keys.Secret, error) {
	der, err := x509.MarshalPKCS8PrivateKey(id.certificate.PrivateKey)
	if err != nil {
		return keys.Secret{}, fmt.Errorf("derive a secret for %s: the private key of %q does not show its octets, so there is none: keep keys in memory: %w", purpose, id.name, err)
	}
	defer clear(der)
	b, err := hkdf.Key(sha256.New, der, nil, "pc5d/1 "+purpose, sha256.Size)
	if err != nil {
		return keys.Secret{}, fmt.Errorf("derive a secret for %s: %w", purpose, err)
	}
	return keys.NewSecret(b), nil
}
