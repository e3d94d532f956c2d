package aesctr

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"math/rand/v2"
	"testing"
)

// reference is the standard library's counter mode.
func reference(t testing.TB, key, prefix, text []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, len(text))
	cipher.NewCTR(block, append(bytes.Clone(prefix), 0, 0, 0, 0)).XORKeyStream(out, text)
	return out
}

func octets(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// check compares with the reference, in place and into other memory, and sees that nothing beyond is touched.
func check(t *testing.T, c *Cipher, key, prefix, text []byte) {
	t.Helper()
	want := reference(t, key, prefix, text)
	const guard = 40
	for _, inPlace := range []bool{true, false} {
		room := bytes.Repeat([]byte{0xA5}, len(text)+guard)
		src := bytes.Clone(text)
		if inPlace {
			src = room[:copy(room, text)]
		}
		c.XORKeyStream(room[:len(text)], src, (*[PrefixLen]byte)(prefix))
		if !bytes.Equal(room[:len(text)], want) {
			t.Fatalf("%d octets, in place %v: wrong", len(text), inPlace)
		}
		if !bytes.Equal(room[len(text):], bytes.Repeat([]byte{0xA5}, guard)) {
			t.Fatalf("%d octets, in place %v: written beyond", len(text), inPlace)
		}
		if !inPlace && !bytes.Equal(src, text) {
			t.Fatalf("%d octets: the source was changed", len(text))
		}
	}
}

// TestLengths: every length is what the standard library's counter mode gives.
func TestLengths(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, keyLen := range []int{16, 32} {
		key := octets(r, keyLen)
		c, err := New(key)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 1700 {
			check(t, c, key, octets(r, PrefixLen), octets(r, n))
		}
		check(t, c, key, octets(r, PrefixLen), octets(r, 65535))
	}
}

func FuzzXORKeyStream(f *testing.F) {
	f.Add(make([]byte, 16), make([]byte, PrefixLen), make([]byte, 300))
	f.Add(make([]byte, 32), bytes.Repeat([]byte{0xFF}, PrefixLen), []byte{})
	f.Fuzz(func(t *testing.T, key, prefix, text []byte) {
		c, err := New(key)
		if err != nil || len(prefix) != PrefixLen {
			return
		}
		check(t, c, key, prefix, text)
	})
}

func TestKeyLengths(t *testing.T) {
	for n := range 40 {
		if _, err := New(make([]byte, n)); (err == nil) != (n == 16 || n == 24 || n == 32) {
			t.Errorf("%d octets: %v", n, err)
		}
	}
}

func TestAllocatesNothing(t *testing.T) {
	c, err := New(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 1500)
	for _, n := range []int{1, 64, 1408, 1500} {
		if a := testing.AllocsPerRun(100, func() { c.XORKeyStream(text[:n], text[:n], new([PrefixLen]byte)) }); a != 0 {
			t.Errorf("%d octets: %v allocations", n, a)
		}
	}
}

func TestRedacted(t *testing.T) {
	c, err := New(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprintf("%v %+v %#v", c, c, c); s != "[redacted] [redacted] [redacted]" {
		t.Error(s)
	}
}

func BenchmarkXORKeyStream(b *testing.B) {
	c, err := New(make([]byte, 16))
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{64, 127, 128, 160, 256, 1408} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := make([]byte, n)
			b.SetBytes(int64(n))
			for b.Loop() {
				c.XORKeyStream(text, text, new([PrefixLen]byte))
			}
		})
	}
}
