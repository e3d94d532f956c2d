package provision

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/policy"
)

// requirement reads one of the three words of a policy.
func requirement(t *table, key string, into *policy.Requirement) {
	word(t, key, into, policy.Required.String(), policy.Preferred.String(), policy.NotNeeded.String())
}

// signalling reads [link.signalling].
func signalling(t *table) policy.Signalling {
	defer t.finish()
	s := policy.DefaultSignalling()
	requirement(t, "integrity", &s.Integrity)
	requirement(t, "ciphering", &s.Ciphering)
	if allow, ok := t.flag("allow_null"); ok {
		s.AllowNull = allow
	}
	// T02: anything but "required" lets an attacker talk both ends into null integrity.
	if s.Integrity != policy.Required && !s.AllowNull {
		t.doc.wrong(t.at("integrity"), fmt.Sprintf("%s %q would let signalling go unprotected", t.name("integrity"), s.Integrity), `write "required"; allow_null = true is for laboratories only`)
	}
	// TS 33.536, 5.3.3.1.4.2: integrity off forces ciphering off.
	if s.Integrity == policy.NotNeeded && s.Ciphering == policy.Required {
		t.doc.wrong(t.at("ciphering"), fmt.Sprintf("%s \"required\" needs integrity", t.name("ciphering")), `write integrity = "required"`)
	}
	algorithms(t, &s)
	return s
}

// algorithms reads the one list of both kinds, and adds the null ones at the end where the words
// allow them: whether null may be used is a matter of the words, never of the list.
func algorithms(t *table, s *policy.Signalling) {
	if entries, ok := t.list("algorithms"); ok {
		s.Ciphers, s.Integrities = nil, nil
		for _, e := range entries {
			algorithm(t, e, s)
		}
		if s.Ciphering != policy.NotNeeded && !slices.ContainsFunc(s.Ciphers, func(c nea.Ciphering) bool { return c != nea.NEA0 }) {
			t.doc.wrong(t.at("algorithms"), fmt.Sprintf("%s has no ciphering, which is %q", t.name("algorithms"), s.Ciphering), `add "nea2"`)
		}
		if s.Integrity != policy.NotNeeded && !slices.ContainsFunc(s.Integrities, func(i nea.Integrity) bool { return i != nea.NIA0 }) {
			t.doc.wrong(t.at("algorithms"), fmt.Sprintf("%s has no integrity, which is %q", t.name("algorithms"), s.Integrity), `add "nia2"`)
		}
	}
	s.Ciphers = slices.DeleteFunc(s.Ciphers, func(c nea.Ciphering) bool { return c == nea.NEA0 })
	if s.Ciphering != policy.Required {
		s.Ciphers = append(s.Ciphers, nea.NEA0)
	}
	if s.AllowNull && s.Integrity != policy.Required {
		s.Integrities = append(s.Integrities, nea.NIA0)
	}
}

// algorithm reads one name into the list of its kind.
func algorithm(t *table, e entry, s *policy.Signalling) {
	var c nea.Ciphering
	var i nea.Integrity
	switch {
	case c.UnmarshalText([]byte(e.text)) == nil:
		_, err := nea.NewCipher(c, [16]byte{})
		if built(t, e, err) && once(t, e, s.Ciphers, c) {
			s.Ciphers = append(s.Ciphers, c)
		}
	case i.UnmarshalText([]byte(e.text)) == nil && i == nea.NIA0:
		t.doc.wrong(e.path, fmt.Sprintf("%s: %q is never chosen by a list", t.name("algorithms"), e.text), "leave it out")
	case i.UnmarshalText([]byte(e.text)) == nil:
		_, err := nea.NewMAC(i, [16]byte{})
		if built(t, e, err) && once(t, e, s.Integrities, i) {
			s.Integrities = append(s.Integrities, i)
		}
	default:
		unknown(t, e, []string{nea.NEA1.String(), nea.NEA2.String(), nea.NEA3.String(), nea.NIA1.String(), nea.NIA2.String(), nea.NIA3.String()})
	}
}

func unknown(t *table, e entry, known []string) {
	t.doc.wrong(e.path, fmt.Sprintf("%s: unknown algorithm %q", t.name("algorithms"), e.text), suggest(strings.ToLower(e.text), known))
}

func built(t *table, e entry, err error) bool {
	if err == nil {
		return true
	}
	why := err.Error()
	if errors.Is(err, nea.ErrNotBuilt) {
		why = "not built yet"
	}
	t.doc.wrong(e.path, fmt.Sprintf("%s: %q is %s", t.name("algorithms"), e.text, why), fmt.Sprintf("use %q and %q", nea.NEA2, nea.NIA2))
	return false
}

func once[A comparable](t *table, e entry, list []A, a A) bool {
	if slices.Contains(list, a) {
		t.doc.wrong(e.path, fmt.Sprintf("%s names %q twice", t.name("algorithms"), e.text), "remove one")
		return false
	}
	return true
}

// userPlane reads [link.user_plane]. The standard form has the algorithms of signalling.
func userPlane(t *table, s policy.Signalling) policy.UserPlane {
	defer t.finish()
	u := policy.DefaultUserPlane()
	requirement(t, "integrity", &u.Integrity)
	requirement(t, "ciphering", &u.Ciphering)
	u.AllowUnprotected, _ = t.flag("allow_unprotected")
	// T56: it would refuse every peer.
	if u.Integrity == policy.NotNeeded && !u.AllowUnprotected {
		t.doc.wrong(t.at("integrity"), fmt.Sprintf("%s \"not-needed\" would let anybody alter and repeat packets", t.name("integrity")), `write "required"; allow_unprotected = true is for laboratories only`)
	}
	word(t, "form", &u.Form, policy.FormRecord.String(), policy.FormAny.String(), policy.FormPDCP.String())
	suites(t, &u)
	if u.Form == policy.FormPDCP {
		standardOnly(t, u, s)
	}
	return u
}

// standardOnly finds what would refuse every peer, or stand for nothing, where no records are taken.
func standardOnly(t *table, u policy.UserPlane, s policy.Signalling) {
	if u.Ciphering == policy.Required && s.Ciphering == policy.NotNeeded {
		t.doc.wrong(t.at("form"), fmt.Sprintf("%s %q has the ciphering of signalling, which is %q: it would refuse every peer", t.name("form"), u.Form, s.Ciphering), `write signalling.ciphering = "preferred"`)
	}
	if len(u.Suites) > 0 {
		t.doc.wrong(t.at("algorithms"), fmt.Sprintf("%s are for records, which form %q does not have", t.name("algorithms"), u.Form), "leave them out: signalling.algorithms protect user data too")
	}
}

func suites(t *table, u *policy.UserPlane) {
	entries, ok := t.list("algorithms")
	if !ok {
		return
	}
	u.Suites = nil
	for _, e := range entries {
		var id suite.ID
		switch {
		case id.UnmarshalText([]byte(e.text)) != nil || id == suite.None:
			unknown(t, e, []string{suite.AES128GCM.String(), suite.AES256GCM.String(), suite.ChaCha20Poly1305.String()})
		case once(t, e, u.Suites, id):
			u.Suites = append(u.Suites, id)
		}
	}
	if len(entries) == 0 {
		t.doc.wrong(t.at("algorithms"), t.name("algorithms")+" is empty", "leave it out for all of them")
	}
}
