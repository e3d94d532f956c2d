package auth

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"pc5d/daemon/link"
)

// finding is what speaks against a peer; the zero value is nothing.
type finding struct {
	refusal link.Refusal
	reason  string
}

func found(r link.Refusal, format string, args ...any) finding {
	return finding{refusal: r, reason: fmt.Sprintf(format, args...)}
}

func (f finding) bad() bool { return f.refusal != 0 }

// place names a certificate of a chain, as it was shown.
func place(i int) string {
	if i == 0 {
		return "its certificate"
	}
	return fmt.Sprintf("certificate %d of its chain", i+1)
}

// judge tells what speaks against a chain in one part of a handshake, leaf first, and from when on
// it will not be admitted any more. It is the whole judgement of certificates and changes nothing;
// name and key of the leaf are the verifier's.
//
// Each step has its own refusal. Package x509 then goes over the same path once more, so that what
// it knows of extended key usage, name constraints and policies counts, too.
func (a *Authorities) judge(now time.Time, chain []*x509.Certificate, usage x509.ExtKeyUsage) (end time.Time, f finding) {
	paths, f := a.anchor(chain)
	for i, path := range paths {
		switch against := a.judgePath(now, path, usage); {
		case against.bad() && i == 0:
			f = against
		case !against.bad() && chainEnd(path).After(end):
			end, f = chainEnd(path), finding{}
		}
	}
	return end, f
}

func (a *Authorities) judgePath(now time.Time, path []*x509.Certificate, usage x509.ExtKeyUsage) finding {
	for _, step := range []func() finding{
		func() finding { return issued(path) },
		func() finding { return a.deniedOf(path) },
		func() finding { return dates(now, path) },
		func() finding { return purpose(path[0], usage) },
		func() finding { return again(now, path, usage) },
		func() finding { return a.revocations(now, path) },
	} {
		if f := step(); f.bad() {
			return f
		}
	}
	return finding{}
}

// deniedOf looks every key of a chain up. Keys and not certificates are denied: whoever has a
// certificate signed by ECDSA can make another one from it that is as good, with other octets.
func (a *Authorities) deniedOf(chain []*x509.Certificate) finding {
	for i, c := range chain {
		if a.denied[spki(c)] {
			return found(link.RefusedDenied, "the key of %s stands in node.deny", place(i))
		}
	}
	return finding{}
}

// issued checks that each certificate was issued by the next one, and the last one by a CA of this
// node. The order is the one that TLS asks for (RFC 8446, 4.4.2); nothing is searched for. Package
// x509 does search, and may find another path past a certificate that only borrows a CA's name, so
// that the signatures are checked here, too: revocation is asked of these issuers.
func issued(path []*x509.Certificate) finding {
	for i, c := range path {
		if len(c.UnhandledCriticalExtensions) > 0 {
			return found(link.RefusedExtension, "%s has the critical extension %v, which is unknown here", place(i), c.UnhandledCriticalExtensions[0])
		}
	}
	for i, issuer := range path[1:] {
		switch below := i; { // CAs between the issuer and the leaf
		case !bytes.Equal(path[i].RawIssuer, issuer.RawSubject):
			return found(link.RefusedBrokenChain, "%s was not issued by the next one", place(i))
		case !issuer.BasicConstraintsValid || !issuer.IsCA || !signsCertificates(issuer):
			return found(link.RefusedNoAuthority, "%s may not issue certificates, but issued the one before it", place(i+1))
		case issuer.MaxPathLen >= 0 && below > issuer.MaxPathLen:
			return found(link.RefusedPathLength, "%s may have %d CAs below it and has %d", place(i+1), issuer.MaxPathLen, below)
		case path[i].CheckSignatureFrom(issuer) != nil:
			return found(link.RefusedBrokenChain, "%s was not signed by the next one", place(i))
		}
	}
	return finding{}
}

// dates judges the wall clock, with some skew between the issuer's clock and ours (T76).
func dates(now time.Time, path []*x509.Certificate) finding {
	for i, c := range path {
		if now.Before(c.NotBefore.Add(-skew)) {
			return found(link.RefusedNotYetValid, "%s begins at %s: compare the clocks", place(i), c.NotBefore.UTC().Format(time.RFC3339))
		}
		if !now.Before(c.NotAfter.Add(skew)) {
			return found(link.RefusedExpired, "%s ended at %s: its CA has to issue another one", place(i), c.NotAfter.UTC().Format(time.RFC3339))
		}
	}
	return finding{}
}

// purpose judges what the leaf is for. The extended usage has to be written: a certificate of the
// same CA without one is for something else.
func purpose(leaf *x509.Certificate, usage x509.ExtKeyUsage) finding {
	switch {
	case leaf.IsCA:
		return found(link.RefusedKeyUsage, "its certificate is a CA's")
	case leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return found(link.RefusedKeyUsage, "its certificate is not for digital signatures")
	case !slices.Contains(leaf.ExtKeyUsage, usage):
		return found(link.RefusedExtendedKeyUsage, "its certificate is not for the part that it has in this handshake: its CA has to issue it for client and server authentication")
	}
	return finding{}
}

// again lets package x509 verify the path, at a time inside all its dates, which were judged.
func again(now time.Time, path []*x509.Certificate, usage x509.ExtKeyUsage) finding {
	anchors, between := x509.NewCertPool(), x509.NewCertPool()
	anchors.AddCert(path[len(path)-1])
	for _, c := range path[1 : len(path)-1] {
		between.AddCert(c)
	}
	for _, c := range path {
		if now.Before(c.NotBefore) {
			now = c.NotBefore
		}
	}
	for _, c := range path {
		if now.After(c.NotAfter) {
			now = c.NotAfter
		}
	}
	_, err := path[0].Verify(x509.VerifyOptions{Roots: anchors, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage}})
	if err == nil {
		return finding{}
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		switch invalid.Reason {
		case x509.CANotAuthorizedForThisName, x509.TooManyConstraints, x509.UnconstrainedName, x509.NameConstraintsWithoutSANs:
			return found(link.RefusedNameConstraints, "a CA of its chain may not speak for its name: %.200q", invalid.Detail)
		case x509.IncompatibleUsage, x509.CANotAuthorizedForExtKeyUsage:
			return found(link.RefusedExtendedKeyUsage, "a CA of its chain may not issue for the part that it has in this handshake")
		}
	}
	return found(link.RefusedBrokenChain, "its chain does not verify: %.200q", err)
}

// revocations asks for every certificate of the path but the CA of this node.
func (a *Authorities) revocations(now time.Time, path []*x509.Certificate) finding {
	for i, issuer := range path[1:] {
		if f := a.revoked(now, i, path[i], issuer); f.bad() {
			return f
		}
	}
	return finding{}
}
