package provision

import (
	"path/filepath"

	"pc5d/policy"
)

// credentials reads what the peer of a link is known by: the fingerprint of its key, or a key that
// both ends share. One of them, so that nobody wonders which of the two let somebody in.
func (t *table) credentials(l *Link) {
	path, shared := t.text("psk")
	if !shared {
		l.Pin = pin(t)
		return
	}
	if _, both := t.text("pin"); both {
		t.doc.wrong(t.at("psk"), "link.psk and link.pin cannot both stand for the peer", "remove one")
	}
	if path == "" {
		t.doc.wrong(t.at("psk"), "link.psk is empty", "make a key with pc5ctl key psk FILE, and name the file")
		return
	}
	if l.Authentication == policy.AuthenticateAlways {
		t.doc.wrong(t.at("psk"), `link.authentication "always" has no meaning with link.psk`, "each establishment proves the pre-shared key: remove link.authentication")
	}
	l.PSK = path
	if !filepath.IsAbs(path) {
		l.PSK = filepath.Join(filepath.Dir(t.doc.name), path)
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
