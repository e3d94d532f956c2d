package pskdhe_test

import (
	"strings"
	"testing"

	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
)

// TestT30_Prover gives what the standard library's HKDF and HMAC give, and allocates nothing.
func TestT30_Prover(t *testing.T) {
	psk, nonce, blank := keys.NewSecret([]byte(strings.Repeat("k", 32))), keys.Nonce{1, 2}, make([]byte, 300)
	p := pskdhe.NewProver()
	for _, names := range [][2]string{{"alice", "bob"}, {"", ""}, {strings.Repeat("ü", 127), strings.Repeat("x", 255)}} {
		tag, err := pskdhe.Tag(psk, nonce)
		if err != nil || p.Tag(psk, nonce[:]) != tag {
			t.Errorf("another tag (%v)", err)
		}
		binder, err := pskdhe.Binder(psk, names[0], names[1], blank)
		if err != nil || p.Binder(psk, names[0], names[1], blank) != binder {
			t.Errorf("%q: another binder (%v)", names, err)
		}
		if n := testing.AllocsPerRun(100, func() {
			p.Tag(psk, nonce[:])
			p.Binder(psk, names[0], names[1], blank)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}
