package provision

import (
	"fmt"

	"pc5d/policy"
)

// trusted is how a peer is trusted, and where that was said first.
type trusted struct {
	policy.Trust
	claim
}

// trust reads what makes the peer's key good.
func (r *reader) trust(t *table, l *Link) {
	if t.written("psk") {
		l.Trust = policy.TrustPSK
	}
	word(t, "trust", &l.Trust, policy.TrustPin.String(), policy.TrustCA.String(), policy.TrustPSK.String(), policy.TrustFirstUse.String())
	if written, ok := t.values["trust"]; ok && written != l.Trust.String() {
		t.lookup("pin") // whether one is needed hangs on a word that is wrong
		t.lookup("psk")
		return
	}
	if l.Trust != policy.TrustPin {
		t.without("pin", l.Trust)
	}
	if l.Trust != policy.TrustPSK {
		t.without("psk", l.Trust)
	}
	switch l.Trust {
	case policy.TrustPin:
		l.Pin = pin(t)
	case policy.TrustCA:
		r.haveCA(t)
	case policy.TrustPSK:
		t.psk(l)
	}
	if l.Peer != "" {
		r.claims.trust(l.Peer, l.Trust, t)
	}
}

// without refuses what says nothing in this way of trust, so that nobody wonders which of the two
// let somebody in.
func (t *table) without(key string, trust policy.Trust) {
	if _, written := t.lookup(key); written {
		t.doc.missing(t.at(key), fmt.Sprintf("link.%s has no meaning where link.trust is %q", key, trust), "remove one of the two")
	}
}

func (r *reader) haveCA(t *table) {
	if len(r.out.Node.CA) == 0 {
		t.doc.wrong(t.at("trust"), `link.trust is "ca", but no CA is named`, `write ca = ["fleet.crt"] in [node]`)
	}
}

// psk reads where the key is that both ends share.
func (t *table) psk(l *Link) {
	path, ok := t.required("psk", "make a key with pc5ctl key psk FILE, and name the file")
	if !ok {
		return
	}
	if l.Authentication == policy.AuthenticateAlways {
		t.doc.wrong(t.at("psk"), `link.authentication "always" has no meaning with link.psk`, "each establishment proves the pre-shared key: remove link.authentication")
	}
	l.PSK = t.doc.beside(path)
}

// trust holds all links to one peer to one way: who the peer is turns out before what it wants, so
// that with two ways the weaker one would count for both (T08).
func (c *claims) trust(peer string, trust policy.Trust, t *table) {
	path := t.path
	for _, key := range []string{"name", "peer", "trust"} {
		if t.written(key) {
			path = t.at(key)
		}
	}
	first, known := c.trusts[peer]
	if !known {
		c.trusts[peer] = trusted{trust, claim{doc: t.doc, path: path}}
		return
	}
	if first.Trust != trust {
		t.doc.wrong(path, fmt.Sprintf("peer %q is trusted by %s here and by %s at %s", peer, trust, first.Trust, first.where()), "trust it in the same way in all its links")
	}
}

func pin(t *table) policy.Fingerprint {
	s, ok := t.required("pin", "the fingerprint that the peer's own pc5d prints")
	if !ok {
		return policy.Fingerprint{}
	}
	var f policy.Fingerprint
	if err := f.UnmarshalText([]byte(s)); err != nil {
		t.doc.wrong(t.at("pin"), "link.pin: "+err.Error(), "")
	}
	return f
}
