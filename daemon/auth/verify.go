package auth

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
	"time"

	"pc5d/daemon/link"
	"pc5d/policy"
)

// verifier judges the other end's certificate. All checks are in verify, which runs in every
// handshake, before the peer's signature is checked: it judges only and changes nothing else.
type verifier struct {
	local  link.Peer
	expect string // initiator: the peer's name; "": any that is pinned
	pins   func(name string) []policy.Fingerprint
	now    func() time.Time
}

// verify returns who the peer is. Errors are of type *link.RefusedError.
func (v *verifier) verify(s tls.ConnectionState) (link.Peer, error) {
	refuse := func(p link.Peer, reason string) (link.Peer, error) {
		return link.Peer{}, &link.RefusedError{Peer: p.Name, Expected: v.pinsOf(p.Name), Presented: p.Fingerprint, Reason: reason}
	}
	if s.Version != tls.VersionTLS13 || s.NegotiatedProtocol != alpn || s.DidResume {
		return refuse(link.Peer{Name: v.expect}, "it does not speak "+alpn)
	}
	if len(s.PeerCertificates) != 1 {
		return refuse(link.Peer{Name: v.expect}, fmt.Sprintf("it sent %d certificates, one is expected", len(s.PeerCertificates)))
	}
	c := s.PeerCertificates[0]
	p := link.Peer{Fingerprint: sha256.Sum256(c.RawSubjectPublicKeyInfo)}
	name, err := nameOf(c)
	if err != nil {
		p.Name = v.expect
		return refuse(p, err.Error())
	}
	p.Name = name
	now := v.now()
	switch {
	case p.Fingerprint == v.local.Fingerprint || p.Name == v.local.Name: // T07
		return refuse(p, "it shows this end's own identity")
	case v.expect != "" && p.Name != v.expect:
		return refuse(link.Peer{Name: v.expect, Fingerprint: p.Fingerprint}, fmt.Sprintf("it calls itself %q", p.Name))
	case now.Before(c.NotBefore) || now.After(c.NotAfter):
		return refuse(p, "its certificate is out of date: compare the clocks")
	case len(v.pinsOf(p.Name)) == 0:
		return refuse(p, "no link to it is provisioned")
	case !slices.Contains(v.pinsOf(p.Name), p.Fingerprint):
		return refuse(p, "its key is not the pinned one")
	}
	return p, nil
}

func (v *verifier) pinsOf(name string) []policy.Fingerprint { return v.pins(name) }

// nameOf returns the name in the certificate's one URI SAN; nothing else in it names the peer.
func nameOf(c *x509.Certificate) (string, error) {
	if len(c.URIs) != 1 || len(c.DNSNames)+len(c.EmailAddresses)+len(c.IPAddresses) != 0 {
		return "", fmt.Errorf("its certificate does not have exactly one name")
	}
	u := c.URIs[0]
	name, err := url.PathUnescape(u.Opaque)
	if err != nil || u.Scheme != scheme || u.Opaque == "" || url.PathEscape(name) != u.Opaque || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return "", fmt.Errorf("its certificate's name is no %s:NAME", scheme)
	}
	return name, nil
}
