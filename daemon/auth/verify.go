package auth

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
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
	// unpinned tells for which names any key is good so far, where none is pinned: who asked for the
	// handshake judges it next. nil: for none.
	unpinned func(name string) bool
	now      func() time.Time
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
		if v.unpinned == nil || !v.unpinned(p.Name) {
			return refuse(p, "no link to it is provisioned")
		}
	case !slices.Contains(v.pinsOf(p.Name), p.Fingerprint):
		return refuse(p, "its key is not the pinned one")
	}
	return p, nil
}

func (v *verifier) pinsOf(name string) []policy.Fingerprint { return v.pins(name) }

// nameOf returns the name in the certificate's one URI SAN; nothing else in it names the peer. The
// octets of the SAN decide, because package x509 reads several spellings as one URI and leaves
// out the kinds of names that it does not know.
func nameOf(c *x509.Certificate) (string, error) {
	if len(c.URIs) != 1 {
		return "", fmt.Errorf("its certificate does not have exactly one name")
	}
	name, err := url.PathUnescape(c.URIs[0].Opaque)
	if err != nil || name == "" || !slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return spells(e, name) }) {
		return "", fmt.Errorf("its certificate's name is no %s:NAME, or not the only one", scheme)
	}
	return name, nil
}

// spells tells whether an extension is the SAN of one name in its one spelling (RFC 5280, 4.2.1.6;
// x509 refuses a certificate with two SANs).
func spells(e pkix.Extension, name string) bool {
	const uniformResourceIdentifier = 6
	one := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: uniformResourceIdentifier, Bytes: []byte(scheme + ":" + url.PathEscape(name))}
	want, err := asn1.Marshal([]asn1.RawValue{one})
	return err == nil && e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) && bytes.Equal(e.Value, want)
}
