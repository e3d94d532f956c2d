package main

import (
	"slices"
	"time"

	"pc5d/daemon/auth"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// authenticationOf makes the authentication of the node, with everything that it trusts.
func authenticationOf(o options, p *provision.Provisioning) (*auth.Authentication, *auth.Identity, error) {
	identity, err := auth.LoadIdentity(p.Node.Identity, p.Node.Name, time.Now())
	if err == nil && p.Node.Certificate != "" {
		identity, err = identity.LoadCertificate(p.Node.Certificate)
	}
	if err != nil {
		return nil, nil, err
	}
	a := auth.New(auth.Config{
		Identity: identity, Trust: trust{p}, Certified: trust{p}.Certified, Now: time.Now,
		Authorities: func() (*auth.Authorities, error) { return authorities(o) },
	})
	return a, identity, a.Reload()
}

// authorities reads CAs, revocation lists and denied keys from where the provisioning says now; the
// rest of it has to be right, and counts at the next start.
func authorities(o options) (*auth.Authorities, error) {
	p, err := provision.Load(o.config)
	if err != nil {
		return nil, err
	}
	return auth.TrustFiles{CA: p.Node.CA, CRL: p.Node.CRL, Deny: p.Node.Deny}.Load()
}

// trust is what the links of the provisioning say about their peers.
type trust struct{ *provision.Provisioning }

// Pinned implements auth.Trust.
func (t trust) Pinned(name string) []policy.Fingerprint {
	var pins []policy.Fingerprint
	for _, l := range t.Links {
		if l.Peer == name && l.Trust == policy.TrustPin && !slices.Contains(pins, l.Pin) {
			pins = append(pins, l.Pin)
		}
	}
	return pins
}

// Certified tells which peers are trusted by certificate.
func (t trust) Certified(name string) bool {
	return slices.ContainsFunc(t.Links, func(l provision.Link) bool { return l.Peer == name && l.Trust == policy.TrustCA })
}
