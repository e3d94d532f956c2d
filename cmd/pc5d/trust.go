package main

import (
	"slices"
	"time"

	"pc5d/daemon"
	"pc5d/daemon/auth"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// identityOf reads the node's key, and the certificates that were issued for it.
func identityOf(p *provision.Provisioning) (*auth.Identity, error) {
	identity, err := auth.LoadIdentity(p.Node.Identity, p.Node.Name, time.Now())
	if err != nil {
		return nil, err
	}
	return certificatesOf(p, identity)
}

// certificatesOf reads the certificates that were issued for an identity, where there are any.
func certificatesOf(p *provision.Provisioning, identity *auth.Identity) (*auth.Identity, error) {
	if p.Node.Certificate == "" {
		return identity, nil
	}
	return identity.LoadCertificate(p.Node.Certificate)
}

// authenticationOf makes the authentication of the node, with everything that it trusts. The node is
// there when the first handshake is.
func authenticationOf(o options, p *provision.Provisioning, identity *auth.Identity, node func() *daemon.Node) (*auth.Authentication, error) {
	a := auth.New(auth.Config{
		Identity: identity, Now: time.Now,
		Trust:       pinned(func(name string) []policy.Fingerprint { return node().Pinned(name) }),
		FirstUse:    func(name string) bool { return node().FirstUse(name) },
		Certified:   func(name string) bool { return certified(p, name) },
		Authorities: func() (*auth.Authorities, error) { return authorities(o) },
		Renew:       func(id *auth.Identity) (*auth.Identity, error) { return certificatesOf(p, id) },
	})
	return a, a.Reload()
}

// certified tells which peers are trusted by certificate: what a node learns is pinned.
func certified(p *provision.Provisioning, name string) bool {
	return slices.ContainsFunc(p.Links, func(l provision.Link) bool { return l.Peer == name && l.Trust == policy.TrustCA })
}

// pinned asks the node which keys are pinned: that changes while it runs.
type pinned func(name string) []policy.Fingerprint

// Pinned implements auth.Trust.
func (p pinned) Pinned(name string) []policy.Fingerprint { return p(name) }

// authorities reads CAs, revocation lists and denied keys from where the provisioning says now; the
// rest of it has to be right, and counts at the next start.
func authorities(o options) (*auth.Authorities, error) {
	p, err := provision.Load(o.config)
	if err != nil {
		return nil, err
	}
	return auth.TrustFiles{CA: p.Node.CA, CRL: p.Node.CRL, Deny: p.Node.Deny}.Load()
}
