package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"syscall"
	"time"
	"unicode/utf8"

	"pc5d/daemon/auth"
	"pc5d/policy"
)

const (
	keyFile         = "ca.key"
	certificateFile = "ca.crt"
	listFile        = "ca.crl"

	life      = 10 * 365 * 24 * time.Hour // of the CA itself (chosen)
	serialLen = 16                        // octets of a random serial number; RFC 5280 allows 20

	maxCommonName = 64 // RFC 5280, appendix A.1
)

// Fleet is an open CA.
type Fleet struct {
	dir         string
	now         time.Time
	folder      *os.File // holds the lock
	certificate *x509.Certificate
	key         crypto.Signer
	index       index
}

// Init makes a CA in a folder that has none, with an empty revocation list, and returns the
// fingerprint of its key. On an error it leaves no file behind, so that it can be tried again.
func Init(dir, name string, now time.Time) (fp policy.Fingerprint, err error) {
	if name == "" || len(name) > maxCommonName || !utf8.ValidString(name) || !printable(name) {
		return fp, fmt.Errorf("CA: name %q: 1 to %d octets of UTF-8 that people can read are needed", name, maxCommonName)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fp, fmt.Errorf("CA: %w", err)
	}
	for _, file := range []string{certificateFile, indexFile, listFile} { // whose key may be elsewhere
		if _, err := os.Lstat(filepath.Join(dir, file)); err == nil {
			return fp, fmt.Errorf("CA: %s exists: a CA is never overwritten; name another folder", filepath.Join(dir, file))
		}
	}
	if fp, err = auth.GenerateKeyOf(auth.P256, filepath.Join(dir, keyFile)); err != nil {
		return fp, fmt.Errorf("CA: %w", err)
	}
	if err := begin(dir, name, now); err != nil {
		for _, file := range []string{listFile, indexFile, certificateFile, keyFile} {
			os.Remove(filepath.Join(dir, file))
		}
		return policy.Fingerprint{}, err
	}
	return fp, nil
}

// begin makes what a CA has beside its new key.
func begin(dir, name string, now time.Time) error {
	key, err := auth.LoadKey(filepath.Join(dir, keyFile))
	if err != nil {
		return err
	}
	serial, err := newSerial()
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, authority(name, serial, now), authority(name, serial, now), key.Public(), key)
	if err != nil {
		return fmt.Errorf("CA: %w", err)
	}
	if err := writeFile(filepath.Join(dir, certificateFile), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})); err != nil {
		return err
	}
	if err := (&index{}).write(dir); err != nil {
		return err
	}
	f, err := Open(dir, now) // makes the first list
	if err != nil {
		return err
	}
	f.Close()
	return nil
}

// authority is the certificate of a CA that issues to nodes only: no other CA stands below it.
func authority(name string, serial *big.Int, now time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now, NotAfter: now.Add(life),
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// Open opens the CA in a folder and locks it against another one that would write at the same time. A
// revocation list that is behind the index is made anew.
func Open(dir string, now time.Time) (*Fleet, error) {
	folder, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("CA: %s does not exist: make one with pc5ctl ca init %s", dir, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("CA: %w", err)
	}
	f := &Fleet{dir: dir, now: now.Truncate(time.Second), folder: folder}
	if err := f.load(); err != nil {
		folder.Close()
		return nil, err
	}
	return f, nil
}

func (f *Fleet) load() error {
	if err := syscall.Flock(int(f.folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("CA: %s is in use by another pc5ctl: wait for it (%w)", f.dir, err)
	}
	text, err := os.ReadFile(filepath.Join(f.dir, certificateFile))
	if _, begun := os.Lstat(filepath.Join(f.dir, keyFile)); err != nil && begun == nil {
		return fmt.Errorf("CA: %w: bring it back from a backup, or, where pc5ctl ca init was cut off, remove %s and do that again", err, filepath.Join(f.dir, keyFile))
	}
	if err != nil {
		return fmt.Errorf("CA: %w: make one with pc5ctl ca init DIR", err)
	}
	if f.certificate, err = parseCertificate(text); err != nil {
		return fmt.Errorf("CA: %s: %w", filepath.Join(f.dir, certificateFile), err)
	}
	if f.key, err = auth.LoadKey(filepath.Join(f.dir, keyFile)); err != nil {
		return fmt.Errorf("CA: %w", err)
	}
	if k, ok := f.key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !k.Equal(f.certificate.PublicKey) {
		return fmt.Errorf("CA: %s has another key than %s: bring back the right one", filepath.Join(f.dir, keyFile), certificateFile)
	}
	if f.index, err = readIndex(f.dir); err != nil {
		return err
	}
	return f.settle()
}

// Close gives the lock back.
func (f *Fleet) Close() { f.folder.Close() }

func newSerial() (*big.Int, error) {
	b := make([]byte, serialLen)
	if _, err := rand.Read(b); err != nil {
		return nil, err
	}
	b[0] &= 0x7F // never negative
	return new(big.Int).SetBytes(b), nil
}

// parseCertificate reads the first certificate of a PEM file.
func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New(`it has no PEM block "CERTIFICATE" first`)
	}
	return x509.ParseCertificate(block.Bytes)
}
