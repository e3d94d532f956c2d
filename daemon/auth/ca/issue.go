package ca

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"time"
	"unicode"
	"unicode/utf8"

	"pc5d/daemon/auth"
	"pc5d/policy"
)

const (
	// DefaultDays is the life of a certificate that is asked for without one (chosen).
	DefaultDays = 365

	maxName = 128 // octets of an application layer ID
	maxDays = 3650
)

// Issue makes a certificate for a name and the public key in PEM that pc5ctl key pub printed, and
// returns it as PEM. Renewing is issuing again for the same key. That the key is the named node's is
// what the caller knows: nothing here proves it.
func (f *Fleet) Issue(name string, public []byte, days int) ([]byte, error) {
	key, fp, err := parsePublicKey(public)
	if err != nil {
		return nil, err
	}
	ends := f.now.Add(time.Duration(days) * 24 * time.Hour)
	if err := f.mayIssue(name, fp, days, ends); err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, NotBefore: f.now, NotAfter: ends, BasicConstraintsValid: true,
		URIs: []*url.URL{auth.NameURI(name)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, f.certificate, key, f.key)
	if err != nil {
		return nil, fmt.Errorf("certificate of %q: %w", name, err)
	}
	f.index.Certificates = append(f.index.Certificates, Certificate{Serial: fmt.Sprintf("%x", serial), Name: name, Key: fp, Begins: f.now, Ends: ends})
	if err := f.index.write(f.dir); err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// mayIssue keeps a name to one key, and certificates within the life of the CA (T08).
func (f *Fleet) mayIssue(name string, fp policy.Fingerprint, days int, ends time.Time) error {
	switch {
	case name == "" || len(name) > maxName || !utf8.ValidString(name):
		return fmt.Errorf("name %q: 1 to %d octets of UTF-8 are needed", name, maxName)
	case !printable(name):
		return fmt.Errorf("name %q has characters that nobody can read: leave them out", name)
	case days < 1 || days > maxDays:
		return fmt.Errorf("%d days: 1 to %d are possible", days, maxDays)
	case ends.After(f.certificate.NotAfter):
		return fmt.Errorf("%d days are longer than the CA itself lasts, which ends at %s: ask for fewer, or make a new CA", days, f.certificate.NotAfter.Format(time.RFC3339))
	}
	for _, c := range f.index.Certificates {
		if c.Name == name && c.Key != fp && c.State(f.now) == "good" {
			return fmt.Errorf("%q has a certificate for another key, %s, until %s: revoke it first (pc5ctl ca revoke %s), or use the same key", name, c.Key, c.Ends.Format(time.RFC3339), c.Serial)
		}
	}
	return nil
}

func printable(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// parsePublicKey reads what pc5ctl key pub prints.
func parsePublicKey(text []byte) (any, policy.Fingerprint, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, policy.Fingerprint{}, errors.New(`public key: no PEM block "PUBLIC KEY": make it with pc5ctl key pub FILE`)
	case block.Type == "PRIVATE KEY":
		return nil, policy.Fingerprint{}, errors.New("public key: this is a private key, which nobody but its node should have: send what pc5ctl key pub FILE prints")
	case block.Type != "PUBLIC KEY" || len(rest) > 0:
		return nil, policy.Fingerprint{}, fmt.Errorf(`public key: %q or more than one PEM block, exactly one "PUBLIC KEY" is needed`, block.Type)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, policy.Fingerprint{}, fmt.Errorf("public key: %w", err)
	}
	if !auth.SupportedKey(key) {
		return nil, policy.Fingerprint{}, fmt.Errorf("public key of type %T: Ed25519 or ECDSA P-256 is needed", key)
	}
	return key, sha256.Sum256(block.Bytes), nil
}
