package policy_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/policy"
)

const (
	need = policy.Required
	like = policy.Preferred
	none = policy.NotNeeded
)

// TestResolve_T02 is the whole 3x3 table, with and without a common algorithm.
func TestResolve_T02(t *testing.T) {
	for _, test := range []struct {
		a, b           policy.Requirement
		common, on, ok bool
	}{
		{need, need, true, true, true}, {need, like, true, true, true}, {need, none, true, false, false},
		{like, need, true, true, true}, {like, like, true, true, true}, {like, none, true, false, true},
		{none, need, true, false, false}, {none, like, true, false, true}, {none, none, true, false, true},
		{need, need, false, false, false}, {need, like, false, false, false}, {need, none, false, false, false},
		{like, need, false, false, false}, {like, like, false, false, true}, {like, none, false, false, true},
		{none, need, false, false, false}, {none, like, false, false, true}, {none, none, false, false, true},
		{3, like, true, false, false}, {none, 255, true, false, false},
	} {
		on, ok := policy.Resolve(test.a, test.b, test.common)
		if on != test.on || ok != test.ok {
			t.Errorf("Resolve(%s, %s, common %t) = on %t, ok %t; want on %t, ok %t", test.a, test.b, test.common, on, ok, test.on, test.ok)
		}
	}
}

func offer(c []nea.Ciphering, i []nea.Integrity) policy.Offer {
	return policy.Offer{
		Ciphering: func(x nea.Ciphering) bool { return slices.Contains(c, x) },
		Integrity: func(x nea.Integrity) bool { return slices.Contains(i, x) },
	}
}

func TestChooseSignalling_T02(t *testing.T) {
	all := offer([]nea.Ciphering{nea.NEA0, nea.NEA1, nea.NEA2}, []nea.Integrity{nea.NIA0, nea.NIA1, nea.NIA2})
	own := func(integrity, ciphering policy.Requirement, null bool) policy.Signalling {
		s := policy.DefaultSignalling()
		s.Integrity, s.Ciphering, s.AllowNull = integrity, ciphering, null
		s.Ciphers = []nea.Ciphering{nea.NEA0, nea.NEA2, nea.NEA1} // null first is never preferred
		return s
	}
	for _, test := range []struct {
		name      string
		own       policy.Signalling
		offer     policy.Offer
		peer      policy.Protection
		ciphering nea.Ciphering
		integrity nea.Integrity
		mismatch  string // subject
	}{
		{"defaults meet", own(need, like, false), all, policy.Protection{Integrity: need, Ciphering: like}, nea.NEA2, nea.NIA2, ""},
		{"own order wins", own(need, need, false), all, policy.Protection{Integrity: like, Ciphering: like}, nea.NEA2, nea.NIA2, ""},
		{"second choice", own(need, need, false), offer([]nea.Ciphering{nea.NEA1}, []nea.Integrity{nea.NIA2}), policy.Protection{Integrity: need, Ciphering: need}, nea.NEA1, nea.NIA2, ""},
		{"ciphering off by the peer", own(need, like, false), all, policy.Protection{Integrity: need, Ciphering: none}, nea.NEA0, nea.NIA2, ""},
		{"nothing common, preferred only", own(need, like, false), offer([]nea.Ciphering{nea.NEA0}, []nea.Integrity{nea.NIA2}), policy.Protection{Integrity: need, Ciphering: like}, nea.NEA0, nea.NIA2, ""},
		{"off, but null not offered", own(need, like, false), offer([]nea.Ciphering{nea.NEA3}, []nea.Integrity{nea.NIA2}), policy.Protection{Integrity: need, Ciphering: like}, 0, 0, "signalling ciphering"},
		{"ciphering excluded", own(need, need, false), all, policy.Protection{Integrity: need, Ciphering: none}, 0, 0, "signalling ciphering"},
		{"ciphering not common", own(need, need, false), offer([]nea.Ciphering{nea.NEA0, nea.NEA3}, []nea.Integrity{nea.NIA2}), policy.Protection{Integrity: need, Ciphering: like}, 0, 0, "signalling ciphering"},
		{"integrity excluded", own(need, like, false), all, policy.Protection{Integrity: none, Ciphering: like}, 0, 0, "signalling integrity"},
		{"integrity not common", own(need, like, true), offer([]nea.Ciphering{nea.NEA2}, []nea.Integrity{nea.NIA0}), policy.Protection{Integrity: need, Ciphering: like}, 0, 0, "signalling integrity"},
		{"null integrity not allowed here", own(like, like, false), all, policy.Protection{Integrity: none, Ciphering: none}, 0, 0, "signalling integrity"},
		{"null integrity not offered", own(none, none, true), offer([]nea.Ciphering{nea.NEA0}, []nea.Integrity{nea.NIA2}), policy.Protection{Integrity: like, Ciphering: none}, 0, 0, "signalling integrity"},
		{"null integrity by both", own(none, like, true), all, policy.Protection{Integrity: none, Ciphering: like}, nea.NEA0, nea.NIA0, ""},
		{"null integrity, ciphering required", own(none, like, true), all, policy.Protection{Integrity: none, Ciphering: need}, 0, 0, "signalling ciphering"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, i, err := policy.ChooseSignalling(test.own, test.offer, test.peer)
			wantMismatch(t, err, test.mismatch)
			if c != test.ciphering || i != test.integrity {
				t.Errorf("chose %s and %s, want %s and %s", c, i, test.ciphering, test.integrity)
			}
		})
	}
}

func wantMismatch(t *testing.T, err error, subject string) {
	t.Helper()
	if subject == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	m, ok := errors.AsType[*policy.Mismatch](err)
	if !ok || m.Subject != subject {
		t.Errorf("error is %v, want a mismatch of %s", err, subject)
	}
}

func TestChooseSuite(t *testing.T) {
	record := policy.DefaultUserPlane().On(policy.WithAES)
	software := policy.DefaultUserPlane().On(policy.WithoutAES)
	chosen := record.On(policy.WithoutAES)
	anyForm, pdcp := record, record
	anyForm.Form, pdcp.Form = policy.FormAny, policy.FormPDCP
	every := func(suite.ID) bool { return true }
	nothing := func(suite.ID) bool { return false }
	for _, test := range []struct {
		name     string
		own      policy.UserPlane
		offers   func(suite.ID) bool
		want     suite.ID
		mismatch string
	}{
		{"record, offered", record, every, suite.AES128GCM, ""},
		{"no instructions for AES", software, every, suite.ChaCha20Poly1305, ""},
		{"no instructions, but a list", chosen, every, suite.AES128GCM, ""},
		{"record, not offered", record, nothing, suite.None, "user-plane suite"},
		{"any, offered", anyForm, every, suite.AES128GCM, ""},
		{"any, not offered", anyForm, nothing, suite.None, ""},
		{"pdcp, offered", pdcp, every, suite.None, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := policy.ChooseSuite(test.own, test.offers)
			wantMismatch(t, err, test.mismatch)
			if got != test.want {
				t.Errorf("chose %s, want %s", got, test.want)
			}
		})
	}
}

func TestResolveUserPlane(t *testing.T) {
	for _, test := range []struct {
		name                 string
		own, peer            policy.Protection
		integrity, ciphering bool
		mismatch             string
	}{
		{"both on", policy.Protection{Integrity: need, Ciphering: like}, policy.Protection{Integrity: like, Ciphering: like}, true, true, ""},
		{"independent", policy.Protection{Integrity: like, Ciphering: none}, policy.Protection{Integrity: need, Ciphering: like}, true, false, ""},
		{"integrity excluded", policy.Protection{Integrity: need, Ciphering: need}, policy.Protection{Integrity: none, Ciphering: need}, false, false, "user-plane integrity"},
		{"ciphering excluded", policy.Protection{Integrity: need, Ciphering: none}, policy.Protection{Integrity: need, Ciphering: need}, false, false, "user-plane ciphering"},
	} {
		t.Run(test.name, func(t *testing.T) {
			integrity, ciphering, err := policy.ResolveUserPlane(test.own, test.peer)
			wantMismatch(t, err, test.mismatch)
			if integrity != test.integrity || ciphering != test.ciphering {
				t.Errorf("integrity %t, ciphering %t; want %t, %t", integrity, ciphering, test.integrity, test.ciphering)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for _, r := range []policy.Requirement{none, like, need} {
		var back policy.Requirement
		if err := back.UnmarshalText([]byte(r.String())); err != nil || back != r {
			t.Errorf("%s reads back as %s, %v", r, back, err)
		}
	}
	for _, f := range []policy.Form{policy.FormRecord, policy.FormAny, policy.FormPDCP} {
		var back policy.Form
		if err := back.UnmarshalText([]byte(f.String())); err != nil || back != f {
			t.Errorf("%s reads back as %s, %v", f, back, err)
		}
	}
	r := need
	if err := r.UnmarshalText([]byte("Required")); err == nil || r != need {
		t.Errorf("a wrong word gives %s, %v; want an error and no change", r, err)
	}
}

func TestFingerprint(t *testing.T) {
	f := policy.Fingerprint{0: 1, 31: 0xff}
	back, err := policy.ParseFingerprint(f.String())
	if err != nil || back != f {
		t.Fatalf("%s reads back as %s, %v", f, back, err)
	}
	good := f.String()
	for name, bad := range map[string]string{
		"no prefix":       strings.TrimPrefix(good, "SHA256:"),
		"lower case":      strings.ToLower(good[:7]) + good[7:],
		"padded":          good + "=",
		"short":           good[:len(good)-1],
		"loose last bits": good[:len(good)-1] + "9",
		"line feed":       good[:len(good)-1] + "\n",
		"url alphabet":    good[:10] + "-_" + good[12:],
		"empty":           "",
	} {
		if got, err := policy.ParseFingerprint(bad); err == nil {
			t.Errorf("%s: %q was read as %s", name, bad, got)
		}
	}
}

func FuzzParseFingerprint(f *testing.F) {
	f.Add(policy.Fingerprint{1, 2, 3}.String())
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := policy.ParseFingerprint(s); err == nil && got.String() != s {
			t.Errorf("%q was read as %s: one fingerprint has one spelling", s, got)
		}
	})
}
