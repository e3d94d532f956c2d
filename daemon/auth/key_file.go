package auth

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"pc5d/policy"
)

const (
	pemKey         = "PRIVATE KEY"
	pemPublicKey   = "PUBLIC KEY"
	pemCertificate = "CERTIFICATE"
)

// GenerateKey makes an Ed25519 key in a new file that only its owner can read.
func GenerateKey(path string) (policy.Fingerprint, error) { return GenerateKeyOf(Ed25519, path) }

// GenerateKeyOf makes a key of a type in a new file that only its owner can read.
func GenerateKeyOf(t KeyType, path string) (policy.Fingerprint, error) {
	private, err := t.generate()
	if err != nil {
		return policy.Fingerprint{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return policy.Fingerprint{}, err
	}
	defer clear(der)
	block := pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der})
	defer clear(block)
	if err := writeKey(path, block); err != nil {
		return policy.Fingerprint{}, err
	}
	return fingerprint(private.Public())
}

// writeKey makes a new file that only its owner can read, or none.
func writeKey(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists: a key is never overwritten; name another file", path)
	}
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(path)
		return fmt.Errorf("key file: %w", err)
	}
	return nil
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

// PublicKey returns the public half of the key in a file as PEM, for a CA to sign.
func PublicKey(path string) ([]byte, error) {
	key, err := loadKey(path, checkMode)
	if err != nil {
		return nil, err
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemPublicKey, Bytes: spki}), nil
}

// LoadKey reads a private key, and refuses one that others could have read (T70).
func LoadKey(path string) (crypto.Signer, error) { return loadKey(path, checkOwner) }

func loadKey(path string, check fileCheck) (crypto.Signer, error) {
	b, err := readSecret("key file", path, "make one with pc5ctl key gen "+path, check)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	block, _ := pem.Decode(b)
	if block == nil || block.Type != pemKey {
		return nil, fmt.Errorf("key file %s has no PEM block %q: make a key with pc5ctl key gen", path, pemKey)
	}
	defer clear(block.Bytes)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok || !SupportedKey(signer.Public()) {
		return nil, fmt.Errorf("key file %s has a key of type %T: Ed25519 or ECDSA P-256 is needed; make one with pc5ctl key gen", path, key)
	}
	return signer, nil
}

// fingerprint hashes the SubjectPublicKeyInfo of a key.
func fingerprint(public crypto.PublicKey) (policy.Fingerprint, error) {
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return policy.Fingerprint{}, err
	}
	return sha256.Sum256(spki), nil
}
