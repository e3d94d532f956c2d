package auth

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"syscall"
	"time"

	"pc5d/daemon/keys"
	"pc5d/policy"
)

const (
	pemKey = "PRIVATE KEY"
	scheme = "pc5"

	// The certificate is only a vessel for the key: made at each start, trusted by pin. It is
	// valid a century either way, so that a start before the clock was set costs nothing (T76).
	validity = 100 * 365 * 24 * time.Hour
)

// Identity is this node's name and long-term key.
type Identity struct {
	name        string
	fingerprint policy.Fingerprint
	certificate tls.Certificate
}

// GenerateKey makes an Ed25519 key in a new file that only its owner can read.
func GenerateKey(path string) (policy.Fingerprint, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return policy.Fingerprint{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return policy.Fingerprint{}, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return policy.Fingerprint{}, fmt.Errorf("%s exists: a key is never overwritten; name another file", path)
	}
	if err != nil {
		return policy.Fingerprint{}, fmt.Errorf("key file: %w", err)
	}
	err = pem.Encode(f, &pem.Block{Type: pemKey, Bytes: der})
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(path)
		return policy.Fingerprint{}, fmt.Errorf("key file: %w", err)
	}
	return fingerprint(public)
}

// KeyFingerprint returns the fingerprint of the key in a file, whoever it belongs to: root looks at
// the key of the daemon's user.
func KeyFingerprint(path string) (policy.Fingerprint, error) {
	key, err := loadKey(path, checkMode)
	if err != nil {
		return policy.Fingerprint{}, err
	}
	return fingerprint(key.Public())
}

// LoadIdentity reads the key of a node and makes its certificate.
func LoadIdentity(path, name string, now time.Time) (*Identity, error) {
	key, err := loadKey(path, checkFile)
	if err != nil {
		return nil, err
	}
	return NewIdentity(key, name, now)
}

// NewIdentity makes an identity from a key.
func NewIdentity(key crypto.Signer, name string, now time.Time) (*Identity, error) {
	fp, err := fingerprint(key.Public())
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    now.Add(-validity),
		NotAfter:     now.Add(validity),
		URIs:         []*url.URL{{Scheme: scheme, Opaque: url.PathEscape(name)}},
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("certificate of %q: %w", name, err)
	}
	return &Identity{name: name, fingerprint: fp, certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}, nil
}

// loadKey reads a private key, and refuses one whose file check does (T70).
func loadKey(path string, check func(info fs.FileInfo, path string) error) (crypto.Signer, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("key file %s does not exist: make one with pc5ctl key gen %s", path, path)
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if err := check(info, path); err != nil {
		return nil, err
	}
	b := make([]byte, 16<<10)
	n, err := f.Read(b)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	defer clear(b)
	block, _ := pem.Decode(b[:n])
	if block == nil || block.Type != pemKey {
		return nil, fmt.Errorf("key file %s has no PEM block %q: make a key with pc5ctl key gen", path, pemKey)
	}
	defer clear(block.Bytes)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	signer, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("key file %s has a key of type %T: Ed25519 is needed; make one with pc5ctl key gen", path, key)
	}
	return signer, nil
}

// checkMode refuses a key that others could have read.
func checkMode(info fs.FileInfo, path string) error {
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("key file %s is readable by others (mode %04o): chmod 600 it, and make a new key if others may have read it", path, info.Mode().Perm())
	}
	return nil
}

// checkFile also refuses one that belongs to somebody else.
func checkFile(info fs.FileInfo, path string) error {
	if err := checkMode(info, path); err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("key file %s belongs to user %d: chown it to root or to the daemon's user", path, st.Uid)
	}
	return nil
}

// fingerprint hashes the SubjectPublicKeyInfo of a key.
func fingerprint(public crypto.PublicKey) (policy.Fingerprint, error) {
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return policy.Fingerprint{}, err
	}
	return sha256.Sum256(spki), nil
}

// Secret derives a secret for a purpose of this node alone from its long-term key, without a
// trace of the key in it. It fails where the key does not show its octets.
func (id *Identity) Secret(purpose string) (keys.Secret, error) {
	der, err := x509.MarshalPKCS8PrivateKey(id.certificate.PrivateKey)
	if err != nil {
		return keys.Secret{}, fmt.Errorf("derive a secret for %s: the private key of %q does not show its octets: %w", purpose, id.name, err)
	}
	defer clear(der)
	b, err := hkdf.Key(sha256.New, der, nil, "pc5d/1 "+purpose, sha256.Size)
	if err != nil {
		return keys.Secret{}, fmt.Errorf("derive a secret for %s: %w", purpose, err)
	}
	return keys.NewSecret(b), nil
}
