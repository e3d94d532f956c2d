package auth

import (
	"bytes"
	"crypto/x509"
	"fmt"

	"pc5d/daemon/link"
	"pc5d/policy"
)

// TrustFiles says where the authorities of a node are.
type TrustFiles struct {
	CA   []string             // certificates of CAs
	CRL  []string             // their revocation lists; none: nothing is asked about revocation
	Deny []policy.Fingerprint // keys that nobody may have, at whatever place of a chain
}

// Authorities is what peers are judged by that show issued certificates, and which keys are denied
// to all. It never changes: a reload makes another one.
type Authorities struct {
	anchors []*x509.Certificate
	lists   []*revocationList // nil: revocation is not asked about
	denied  map[policy.Fingerprint]bool
}

// Load reads the files. On an error nothing of them counts.
func (f TrustFiles) Load() (*Authorities, error) {
	a := &Authorities{denied: map[policy.Fingerprint]bool{}}
	for _, fp := range f.Deny {
		a.denied[fp] = true
	}
	for _, path := range f.CA {
		chain, err := readCertificates(path)
		if err != nil {
			return nil, err
		}
		for i, c := range chain {
			if err := fitsAnchor(c); err != nil {
				return nil, fmt.Errorf("certificate file %s: certificate %d %w", path, i+1, err)
			}
			a.anchors = append(a.anchors, c)
		}
	}
	for _, path := range f.CRL {
		blocks, err := readBlocks(path, pemRevocationList)
		if err != nil {
			return nil, err
		}
		for i, der := range blocks {
			l, err := a.parseRevocationList(der)
			if err != nil {
				return nil, fmt.Errorf("revocation file %s: list %d: %w", path, i+1, err)
			}
			a.lists = append(a.lists, l)
		}
	}
	return a, nil
}

// fitsAnchor tells what keeps a certificate from being a CA.
func fitsAnchor(c *x509.Certificate) error {
	switch {
	case !c.BasicConstraintsValid || !c.IsCA:
		return fmt.Errorf("(%q) is not a CA's: name the file of the CA, not one that it issued", c.Subject)
	case !signsCertificates(c):
		return fmt.Errorf("(%q) may not sign certificates: its key usage lacks that", c.Subject)
	case len(c.UnhandledCriticalExtensions) > 0:
		return fmt.Errorf("(%q) has a critical extension %v that is unknown here", c.Subject, c.UnhandledCriticalExtensions[0])
	}
	return nil
}

func signsCertificates(c *x509.Certificate) bool {
	return c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageCertSign != 0
}

// anchor completes a chain by the CA that issued its last certificate, which may be the CA itself. Where
// a CA stands there with several certificates for one key each gives a path: an old one beside the one
// that follows it must not shut out whom that speaks for.
func (a *Authorities) anchor(chain []*x509.Certificate) (paths [][]*x509.Certificate, f finding) {
	last, named := chain[len(chain)-1], false
	for _, c := range a.anchors {
		if len(chain) > 1 && c.Equal(last) {
			paths = append(paths, chain)
			continue
		}
		if !bytes.Equal(c.RawSubject, last.RawIssuer) {
			continue
		}
		named = true
		if last.CheckSignatureFrom(c) == nil {
			paths = append(paths, append(chain[:len(chain):len(chain)], c))
		}
	}
	switch {
	case len(paths) > 0:
		return paths, finding{}
	case named:
		return nil, found(link.RefusedBrokenChain, "%s names the CA %.100q, which did not sign it", place(len(chain)-1), last.Issuer)
	}
	return nil, found(link.RefusedUnknownAuthority, "no CA of node.ca issued its certificate: %s names %.100q", place(len(chain)-1), last.Issuer)
}
