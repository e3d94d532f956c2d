package auth

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"pc5d/daemon/link"
)

const pemRevocationList = "X509 CRL"

// revocationList is a list of one issuer. Only whole lists count: one that covers a part of what
// its issuer issued says so in a critical extension, and is refused (RFC 5280, 5.2).
type revocationList struct {
	list    *x509.RevocationList
	serials map[string]bool     // as the octets of the number
	anchors []*x509.Certificate // of this node, that made it: its signature is good
}

// parseRevocationList reads a list. One that names a CA of this node is signed by it; that of an
// intermediate is verified when a peer shows the intermediate.
func (a *Authorities) parseRevocationList(der []byte) (*revocationList, error) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	if list.NextUpdate.IsZero() {
		return nil, errors.New("it does not say when it is replaced: make one with a next update")
	}
	for _, e := range list.Extensions {
		if isCritical(e) {
			return nil, fmt.Errorf("it has the critical extension %v: only whole lists of their issuer's own certificates are read", e.Id)
		}
	}
	if slices.ContainsFunc(list.Extensions, isPartial) {
		return nil, errors.New("it covers a part of what its issuer issued, or the changes since another list: make a whole one")
	}
	l := &revocationList{list: list, serials: map[string]bool{}}
	for _, e := range list.RevokedCertificateEntries {
		if i := slices.IndexFunc(e.Extensions, isCritical); i >= 0 {
			return nil, fmt.Errorf("its entry %v has the critical extension %v, which is unknown here", e.SerialNumber, e.Extensions[i].Id)
		}
		l.serials[string(e.SerialNumber.Bytes())] = true
	}
	named := false
	for _, c := range a.anchors {
		if !bytes.Equal(c.RawSubject, list.RawIssuer) {
			continue
		}
		named = true
		if l.by(c) {
			l.anchors = append(l.anchors, c)
		}
	}
	if named && len(l.anchors) == 0 {
		return nil, fmt.Errorf("it names the CA %q, which did not sign it, or may not sign lists", list.Issuer)
	}
	return l, nil
}

// by tells whether an issuer made the list. What a list of a megabyte costs is not paid in each handshake:
// of the CAs of this node it is known.
func (l *revocationList) by(issuer *x509.Certificate) bool {
	return slices.ContainsFunc(l.anchors, issuer.Equal) ||
		bytes.Equal(l.list.RawIssuer, issuer.RawSubject) && l.list.CheckSignatureFrom(issuer) == nil
}

// revoked judges a certificate of a chain by the lists of its issuer. An issuer without a list and a
// list that should have been replaced refuse, because a thief who can keep the new list away would
// else be safe. Of several lists of one issuer each may revoke, and one must be in date.
func (a *Authorities) revoked(now time.Time, at int, c, issuer *x509.Certificate) finding {
	if a.lists == nil {
		return finding{}
	}
	listed, fresh := false, false
	for _, l := range a.lists {
		if !l.by(issuer) {
			continue
		}
		if l.serials[string(c.SerialNumber.Bytes())] {
			return found(link.RefusedRevoked, "%s is revoked by %.100q", place(at), issuer.Subject)
		}
		listed = true
		fresh = fresh || !now.After(l.list.NextUpdate.Add(skew))
	}
	switch {
	case !listed:
		return found(link.RefusedNoRevocationList, "node.crl has no list of %.100q, which issued %s: add it", issuer.Subject, place(at))
	case !fresh:
		return found(link.RefusedOldRevocationList, "the revocation list of %.100q should have been replaced: bring a new one and run pc5ctl reload", issuer.Subject)
	}
	return finding{}
}

// isPartial tells the extensions of a list that is not whole (RFC 5280, 5.2.4 and 5.2.5). They have to be
// critical; a CA that forgets it must not hide what the rest of its lists revokes.
func isPartial(e pkix.Extension) bool {
	return e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 27}) || e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 28})
}

func isCritical(e pkix.Extension) bool { return e.Critical }
