package main

import (
	"strings"
	"testing"

	"pc5d/daemon/control"
)

// TestT56_StatusMarks: the form and its algorithms are shown, and what user data lacks is said loudly.
func TestT56_StatusMarks(t *testing.T) {
	const none, nobody, unciphered, short = "", "INSECURE", "NOT CIPHERED", "SHORT TAG"
	record := control.UserPlane{Form: "record", Suite: "aes-128-gcm", TagBits: 128}
	pdcp := control.UserPlane{Form: "pdcp", Suite: "none", TagBits: 32}
	with := func(u control.UserPlane, integrity, ciphering bool) control.UserPlane {
		u.Integrity, u.Ciphering, u.Insecure = integrity, ciphering, !integrity
		return u
	}
	for u, want := range map[control.UserPlane]struct{ names, marks string }{
		with(record, true, true):   {"aes-128-gcm record (", none},
		with(record, true, false):  {"aes-128-gcm record (", unciphered},
		with(record, false, true):  {"aes-128-gcm record (", nobody},
		with(record, false, false): {"aes-128-gcm record (", nobody},
		with(pdcp, true, true):     {"pdcp nia2 nea2 (", short},
		with(pdcp, true, false):    {"pdcp nia2 (", unciphered + short},
		with(pdcp, false, true):    {"pdcp nea2 (", nobody},
		with(pdcp, false, false):   {"pdcp (", nobody},
	} {
		got := protection(control.LinkStatus{Protection: &control.Protection{Signalling: control.Signalling{Integrity: "nia2", Ciphering: "nea2"}, UserPlane: u}})
		if !strings.Contains(got, "user plane "+want.names) {
			t.Errorf("%+v: %q, want %q", u, got, want.names)
		}
		for _, word := range []string{unciphered, nobody, short} {
			if strings.Contains(got, word) != strings.Contains(want.marks, word) {
				t.Errorf("%+v: %q, want the marks %q", u, got, want.marks)
			}
		}
	}
}
