package policy_test

import (
	"strings"
	"testing"

	"pc5d/policy"
)

// TestFingerprintAloud: eight groups of five digits, which are the first sixteen octets and nothing
// else.
func TestFingerprintAloud(t *testing.T) {
	var f policy.Fingerprint
	for i := range f {
		f[i] = byte(i)
	}
	f[0], f[1] = 0xff, 0xff
	if got, want := f.Aloud(), "65535 00515 01029 01543 02057 02571 03085 03599"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	seen := map[string]bool{f.Aloud(): true}
	for bit := range 128 {
		g := f
		g[bit/8] ^= 0x80 >> (bit % 8)
		seen[g.Aloud()] = true
		if n := len(strings.Fields(g.Aloud())); n != 8 {
			t.Errorf("%d groups", n)
		}
	}
	if len(seen) != 129 {
		t.Errorf("%d of 129 differ", len(seen))
	}
}
