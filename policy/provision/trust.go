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
	word(t, "trust", &l.Trust, policy.TrustPin.String(), policy.TrustCA.String())
	if written, ok := t.values["trust"]; ok && written != l.Trust.String() {
		t.lookup("pin") // whether it is needed hangs on a word that is wrong
		return
	}
	switch l.Trust {
	case policy.TrustPin:
		l.Pin = pin(t)
	case policy.TrustCA:
		r.noPin(t)
	}
	if l.Peer != "" {
		r.claims.trust(l.Peer, l.Trust, t)
	}
}

// noPin refuses what says nothing where certificates decide.
func (r *reader) noPin(t *table) {
	if _, written := t.lookup("pin"); written {
		t.doc.missing(t.at("pin"), `link.pin beside trust = "ca": the certificate decides, the pin would not`, "remove one of the two")
	}
	if len(r.out.Node.CA) == 0 {
		t.doc.wrong(t.at("trust"), `link.trust is "ca", but no CA is named`, `write ca = ["fleet.crt"] in [node]`)
	}
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
		c.trusts[peer] = trusted{trust, claim{t.doc, path}}
		return
	}
	if first.Trust != trust {
		t.doc.wrong(path, fmt.Sprintf("peer %q is trusted by %s here and by %s at %s", peer, trust, first.Trust, first.doc.where(first.path)), "trust it in the same way in all its links")
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
