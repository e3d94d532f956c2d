package auth

import (
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/policy"
)

// TestT16_Remembered: of a name only the last keys are remembered, of a key only the newest chain; a
// verdict gets old, and is made anew after the clock was set back.
func TestT16_Remembered(t *testing.T) {
	root := newAuthority(t, "fleet", nil, keyOf(9), nil)
	load := func(revoked ...int64) *Authorities {
		a, err := files(t, nil, [][]byte{root.revoke(t, epoch.Add(24*time.Hour), revoked...)}, root).Load()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	of := func(key byte, serial int64) credentials {
		leaf := root.leaf(t, keyOf(2), func(c *x509.Certificate) { c.SerialNumber = big.NewInt(serial) })
		return credentials{peer: link.Peer{Name: "bob", Fingerprint: policy.Fingerprint{key}}, chain: []*x509.Certificate{leaf}, usage: x509.ExtKeyUsageClientAuth}
	}
	var s shown
	by := load(50)
	s.note(credentials{peer: link.Peer{Name: "pinned"}})
	for key := byte(1); key <= maxKeys+2; key++ {
		s.note(of(key, 50))
		s.note(of(key, 51)) // renewed: the first one is revoked
	}
	if len(s.names) != 1 || len(s.names["bob"]) != maxKeys {
		t.Errorf("%d names, %d keys of bob", len(s.names), len(s.names["bob"]))
	}
	for key, want := range map[byte]link.Refusal{1: link.RefusedNeverShown, 2: link.RefusedNeverShown, 3: 0, maxKeys + 2: 0} {
		if f := s.judge(of(key, 0).peer, by, epoch); f.refusal != want {
			t.Errorf("key %d: %v, want %v", key, f.refusal, want)
		}
	}
	last := of(maxKeys+2, 0).peer
	over := epoch.Add(time.Hour + skew) // the leaf ends
	for _, step := range []struct {
		name string
		at   time.Time
		want link.Refusal
	}{
		{"just before", over.Add(-time.Second), 0},
		{"the verdict counts", over.Add(verdictLife - 2*time.Second), 0},
		{"and gets old", over.Add(verdictLife - time.Second), link.RefusedExpired},
		{"the clock is set back", epoch, 0},
	} {
		if f := s.judge(last, by, step.at); f.refusal != step.want {
			t.Errorf("%s: %v, want %v", step.name, f.refusal, step.want)
		}
	}
	if f := s.judge(last, load(51), epoch); f.refusal != link.RefusedRevoked {
		t.Errorf("other authorities at the same time: %v", f.refusal)
	}
}
