package sim_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pc5d/daemon/pc5s"
	"pc5d/daemon/sim"
)

// TestR19_P6_T56_Modes: whole daemons make a link in each mode of user data and of signalling, packets
// pass in all of them, keys are renewed, and where integrity is off status and log of both ends say
// INSECURE. No packet is readable that should not be.
func TestR19_P6_T56_Modes(t *testing.T) {
	const insecure = "user_plane.allow_unprotected = true\nuser_plane.integrity = \"not-needed\"\n"
	for name, test := range map[string]struct {
		words string
		want  pc5s.UserPlaneConfiguration
	}{
		"both, AES-256-GCM":             {`user_plane.algorithms = ["aes-256-gcm"]`, pc5s.UserPlaneConfiguration{Integrity: true, Ciphering: true}},
		"both, ChaCha20-Poly1305":       {`user_plane.algorithms = ["chacha20-poly1305"]`, pc5s.UserPlaneConfiguration{Integrity: true, Ciphering: true}},
		"both, signalling not ciphered": {`signalling.ciphering = "not-needed"`, pc5s.UserPlaneConfiguration{Integrity: true, Ciphering: true}},
		"integrity only":                {`user_plane.ciphering = "not-needed"`, pc5s.UserPlaneConfiguration{Integrity: true}},
		"integrity only, ChaCha20":      {"user_plane.ciphering = \"not-needed\"\nuser_plane.algorithms = [\"chacha20-poly1305\"]", pc5s.UserPlaneConfiguration{Integrity: true}},
		"ciphering only":                {insecure, pc5s.UserPlaneConfiguration{Ciphering: true}},
		"neither":                       {insecure + `user_plane.ciphering = "not-needed"`, pc5s.UserPlaneConfiguration{}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, 1)
			p.Trace.Logs = true
			p.link.A.Words, p.link.B.Words = test.words, test.words
			p.establish()
			p.carries()
			p.link.A.Rekey()
			p.within(p.alice.Timers.RekeyMin*2, "new keys", func() bool { return p.alice.Status(p.link.A).Rekeyings > 0 })
			p.carries()
			for _, e := range p.link.Ends() {
				got := e.Host.Status(e).Protection.UserPlane
				if got.Integrity != test.want.Integrity || got.Ciphering != test.want.Ciphering || got.Insecure == test.want.Integrity {
					t.Errorf("%s: %+v", e, got)
				}
			}
			readable := slices.ContainsFunc(p.heard(), func(d sim.Datagram) bool { return bytes.Contains(d.Octets, []byte("pc5d-sim-inner-packet")) })
			if readable == test.want.Ciphering {
				t.Errorf("packets readable on the way: %v", readable)
			}
			said := strings.Count(strings.Join(p.Trace.Lines(), "\n"), "link is INSECURE")
			if want := map[bool]int{false: 2}[test.want.Integrity]; said != want {
				t.Errorf("said INSECURE %d times in the logs, want %d", said, want)
			}
		})
	}
}
