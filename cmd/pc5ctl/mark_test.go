package main

import (
	"strings"
	"testing"

	"pc5d/daemon/control"
)

// TestT56_StatusMarks: what user data lacks is said loudly.
func TestT56_StatusMarks(t *testing.T) {
	for u, want := range map[control.UserPlane]string{
		{Integrity: true, Ciphering: true, Suite: "aes-128-gcm"}: "",
		{Integrity: true, Suite: "aes-128-gcm"}:                  "NOT CIPHERED",
		{Ciphering: true, Suite: "aes-128-gcm", Insecure: true}:  "INSECURE",
		{Suite: "aes-128-gcm", Insecure: true}:                   "INSECURE",
	} {
		got := protection(control.LinkStatus{Protection: &control.Protection{UserPlane: u}})
		for _, word := range []string{"NOT CIPHERED", "INSECURE"} {
			if strings.Contains(got, word) != (word == want) {
				t.Errorf("%+v: %q, want the mark %q", u, got, want)
			}
		}
	}
}
