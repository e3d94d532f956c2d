package auth

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net/url"
	"slices"
	"time"
	"unicode/utf8"

	"pc5d/daemon/link"
	"pc5d/policy"
)

// verifier judges the other end's credentials. All checks are in verify, which runs in every
// handshake, before the peer's signature is checked: it judges only and changes nothing else.
type verifier struct {
	local     link.Peer
	expect    string // initiator: the peer's name; "": any that is provisioned
	pins      func(name string) []policy.Fingerprint
	certified func(name string) bool // trusted by certificate, whatever is pinned
	// unpinned tells for which names any key is good so far, where none is pinned: who asked for the
	// handshake judges it next.
	unpinned    func(name string) bool
	authorities func() *Authorities // those of the moment
	usage       x509.ExtKeyUsage    // what the peer's certificate has to be for
	now         func() time.Time
}

// verify returns who the peer is, with what was judged good. Errors are of type *link.RefusedError.
func (v *verifier) verify(s tls.ConnectionState) (credentials, error) {
	by := v.authorities()
	peer, f := v.identify(s)
	if f.bad() {
		if peer.Name == "" {
			peer.Name = v.expect
		}
		return credentials{}, v.refused(peer, f)
	}
	c := credentials{peer: peer, by: by}
	if v.certified(peer.Name) {
		c.chain, c.usage = s.PeerCertificates, v.usage
	}
	if c.end, f = v.admit(by, peer, s.PeerCertificates); f.bad() {
		return credentials{}, v.refused(peer, f)
	}
	return c, nil
}

func (v *verifier) refused(p link.Peer, f finding) error {
	e := &link.RefusedError{Peer: p.Name, Presented: p.Fingerprint, Refusal: f.refusal, Reason: f.reason}
	if v.certified(p.Name) {
		e.Trust = policy.TrustCA
	} else {
		e.Expected = v.pins(p.Name)
	}
	return e
}

// identify reads who the peer says to be. The sizes come first, so that nothing below is done for
// more than a few kilooctets (T17).
func (v *verifier) identify(s tls.ConnectionState) (link.Peer, finding) {
	if s.Version != tls.VersionTLS13 || s.NegotiatedProtocol != alpn || s.DidResume {
		return link.Peer{}, found(link.RefusedProtocol, "it does not speak %s", alpn)
	}
	if n := len(s.PeerCertificates); n == 0 || n > maxChain {
		return link.Peer{}, found(link.RefusedChain, "it sent %d certificates, 1 to %d are expected", n, maxChain)
	}
	for i, c := range s.PeerCertificates {
		if len(c.Raw) > maxCertificate {
			return link.Peer{}, found(link.RefusedChain, "%s has %d octets, at most %d are expected", place(i), len(c.Raw), maxCertificate)
		}
	}
	leaf := s.PeerCertificates[0]
	p := link.Peer{Fingerprint: spki(leaf)}
	name, err := nameOf(leaf)
	if err != nil {
		return p, finding{link.RefusedName, err.Error()}
	}
	p.Name = name
	return p, finding{}
}

// admit tells what speaks against a peer of that name with that key, and when its certificates end.
func (v *verifier) admit(by *Authorities, p link.Peer, chain []*x509.Certificate) (end time.Time, f finding) {
	switch {
	case p.Fingerprint == v.local.Fingerprint || p.Name == v.local.Name: // T07
		return end, found(link.RefusedOwnIdentity, "it shows this end's own identity")
	case v.expect != "" && p.Name != v.expect:
		return end, found(link.RefusedOtherName, "it calls itself %q, but %q was called", p.Name, v.expect)
	case !SupportedKey(chain[0].PublicKey):
		return end, found(link.RefusedKeyType, "its key is neither Ed25519 nor ECDSA P-256")
	case v.certified(p.Name):
		return by.judge(v.now(), chain, v.usage)
	}
	return end, v.pinned(by, p, chain[0])
}

// pinned judges a key by the pins of its name. The certificate is a vessel then: who signed it and
// when it ends is nobody's word. The deny list counts all the same.
func (v *verifier) pinned(by *Authorities, p link.Peer, leaf *x509.Certificate) finding {
	pins := v.pins(p.Name)
	switch {
	case len(pins) == 0 && !v.unpinned(p.Name):
		return found(link.RefusedNotProvisioned, "no link to it is provisioned")
	case len(pins) > 0 && !slices.Contains(pins, p.Fingerprint):
		return found(link.RefusedPin, "its key is not the pinned one")
	}
	return by.deniedOf([]*x509.Certificate{leaf})
}

// nameOf returns the name in the certificate's one URI SAN; nothing else in it names the peer. The
// octets of the SAN decide, because package x509 reads several spellings as one URI and leaves
// out the kinds of names that it does not know.
func nameOf(c *x509.Certificate) (string, error) {
	if len(c.URIs) != 1 {
		return "", fmt.Errorf("its certificate does not have exactly one name")
	}
	name, err := url.PathUnescape(c.URIs[0].Opaque)
	if err != nil || name == "" || len(name) > maxName || !utf8.ValidString(name) || !slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return spells(e, name) }) {
		return "", fmt.Errorf("its certificate's name is no %s:NAME of at most %d octets, or not the only one", scheme, maxName)
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
