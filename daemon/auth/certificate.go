package auth

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"pc5d/policy"
)

// Bounds of what either end shows (T17), far above what a fleet needs. One direction of a handshake
// has 16 KiB in any case, which package tls gets to read.
const (
	maxChain       = 4    // certificates, leaf first
	maxCertificate = 4096 // octets of one
	maxName        = 128  // octets of an application layer ID
)

// skew is how far two clocks may differ where a certificate begins and ends (T76; chosen): wide
// enough for a machine that sets its clock once a day, narrow against the life of a certificate.
const skew = 5 * time.Minute

// maxTrustFile bounds a file of certificates or of a revocation list (chosen).
const maxTrustFile = 1 << 20

// LoadCertificate returns the identity with the certificates in a PEM file, which somebody issued
// for its key and name: leaf first. Whether they are in date is not asked here, because the clock may
// not be set yet; CertificateEnd tells.
func (id *Identity) LoadCertificate(path string) (*Identity, error) {
	chain, err := readCertificates(path)
	if err != nil {
		return nil, err
	}
	if err := id.fits(chain); err != nil {
		return nil, fmt.Errorf("certificate file %s: %w", path, err)
	}
	certified := *id
	certified.certificate.Certificate, certified.end = nil, chainEnd(chain)
	for _, c := range chain {
		certified.certificate.Certificate = append(certified.certificate.Certificate, c.Raw)
	}
	return &certified, nil
}

// fits tells what keeps a chain from speaking for this identity at its peers.
func (id *Identity) fits(chain []*x509.Certificate) error {
	leaf := chain[0]
	if len(chain) > maxChain {
		return fmt.Errorf("%d certificates, peers take %d at most: leave the CA itself out", len(chain), maxChain)
	}
	if i := slices.IndexFunc(chain, func(c *x509.Certificate) bool { return len(c.Raw) > maxCertificate }); i >= 0 {
		return fmt.Errorf("certificate %d has %d octets, peers take %d at most", i+1, len(chain[i].Raw), maxCertificate)
	}
	if spki(leaf) != id.fingerprint {
		return fmt.Errorf("the first certificate is for key %s, but this node's is %s: put the node's own certificate first, or let the CA sign what pc5ctl key pub prints", spki(leaf), id.fingerprint)
	}
	name, err := nameOf(leaf)
	if err != nil {
		return fmt.Errorf("%w: the CA has to issue it with the one URI %s", err, NameURI(id.name))
	}
	if name != id.name {
		return fmt.Errorf("it is for %q, but node.name is %q: change one of them", name, id.name)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth} {
		if !slices.Contains(leaf.ExtKeyUsage, usage) {
			return fmt.Errorf("its extended key usage lacks client or server authentication: a node is both, so the CA has to issue it with both")
		}
	}
	for i, parent := range chain[1:] {
		if !bytes.Equal(chain[i].RawIssuer, parent.RawSubject) {
			return fmt.Errorf("certificate %d did not issue certificate %d: put them in order, leaf first", i+2, i+1)
		}
	}
	return nil
}

// spki is the fingerprint of the key that a certificate is for.
func spki(c *x509.Certificate) policy.Fingerprint { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// chainEnd is when the first certificate of a chain is not admitted any more.
func chainEnd(chain []*x509.Certificate) time.Time {
	end := chain[0].NotAfter
	for _, c := range chain[1:] {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end.Add(skew)
}

// readCertificates reads the certificates of a PEM file, one at least.
func readCertificates(path string) ([]*x509.Certificate, error) {
	blocks, err := readBlocks(path, pemCertificate)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for i, der := range blocks {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("certificate file %s: certificate %d: %w", path, i+1, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// readBlocks reads the PEM blocks of a file, which are all of one type, one at least.
func readBlocks(path, kind string) ([][]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("file %s does not exist: bring it from the CA, or take it out of [node]", path)
	}
	if err != nil {
		return nil, fmt.Errorf("file of type %q: %w", kind, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxTrustFile+1))
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", path, err)
	}
	if len(b) > maxTrustFile {
		return nil, fmt.Errorf("file %s is larger than 1 MiB: is it of type %q?", path, kind)
	}
	return decodeBlocks(path, kind, b)
}

// decodeBlocks decodes all of a file or nothing: package pem passes over a block that is damaged, and
// without a newer list behind it an older one would go on counting.
func decodeBlocks(path, kind string, b []byte) ([][]byte, error) {
	var blocks [][]byte
	begun := bytes.Count(b, []byte("-----BEGIN "))
	for {
		block, rest := pem.Decode(b)
		if block == nil {
			break
		}
		if block.Type != kind {
			return nil, fmt.Errorf("file %s has a PEM block %q, only %q belongs there", path, block.Type, kind)
		}
		blocks, b = append(blocks, block.Bytes), rest
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("file %s has no PEM block %q: convert it from DER, or name another file", path, kind)
	}
	if len(blocks) != begun {
		return nil, fmt.Errorf("file %s: %d of %d PEM blocks cannot be read: bring it anew, whole", path, begun-len(blocks), begun)
	}
	return blocks, nil
}
