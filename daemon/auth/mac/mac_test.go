package mac_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"pc5d/daemon/auth/mac"
)

// TestVector is test case 2 of RFC 4231.
func TestVector(t *testing.T) {
	h := mac.New()
	h.Begin([]byte("Jefe"))
	h.Write([]byte("what do ya "))
	h.Write([]byte("want for nothing?"))
	const want = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
	if got := h.Sum(); hex.EncodeToString(got[:]) != want {
		t.Errorf("got %x, want %s", got, want)
	}
}

// TestSameAsStandardLibrary: one object gives sum after sum what crypto/hmac gives, also after a sum
// that was begun and left.
func TestSameAsStandardLibrary(t *testing.T) {
	h := mac.New()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 0, mac.MaxKey).Draw(t, "key")
		parts := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 200), 0, 4).Draw(t, "parts")
		if rapid.Bool().Draw(t, "left") {
			h.Begin(key)
			h.Write([]byte{1})
		}
		want := hmac.New(sha256.New, key)
		h.Begin(key)
		for _, p := range parts {
			want.Write(p)
			h.Write(p)
		}
		if got := h.Sum(); !bytes.Equal(got[:], want.Sum(nil)) {
			t.Fatalf("key %x, %x: another sum", key, parts)
		}
	})
}

// TestT30_MACAllocatesNothing: neither a new key nor a sum costs memory.
func TestT30_MACAllocatesNothing(t *testing.T) {
	h, key, text := mac.New(), make([]byte, 32), make([]byte, 300)
	if n := testing.AllocsPerRun(100, func() {
		key[0]++
		h.Begin(key)
		h.Write(text)
		h.Sum()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
