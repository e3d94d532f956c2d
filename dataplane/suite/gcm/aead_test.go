package gcm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

var keyLens = []int{16, 32}

func random(seed uint64) func(n int) []byte {
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	return func(n int) []byte {
		b := make([]byte, n)
		source.Read(b)
		return b
	}
}

// newPair makes the AEAD and what it is compared with.
func newPair(t testing.TB, key []byte) (*AEAD, cipher.AEAD) {
	t.Helper()
	if !Supported() {
		t.Skip("this processor has no VAES and VPCLMULQDQ with AVX-512")
	}
	a, err := New(key)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	standard, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return a, standard
}

// fenced is room for n octets, at a distance from where memory is aligned, between octets that say whether
// somebody wrote beyond it.
type fenced struct{ all, room []byte }

const fence = 192

func newFenced(n, shift int) fenced {
	all := bytes.Repeat([]byte{0xA5}, fence+shift+n+fence)
	return fenced{all, all[fence+shift:][:n:n]}
}

func (f fenced) check(t *testing.T) {
	t.Helper()
	before := len(f.all) - fence - len(f.room)
	for i, c := range f.all {
		if (i < before || i >= before+len(f.room)) && c != 0xA5 {
			t.Fatalf("octet %d written: the room of %d octets starts at %d", i, len(f.room), before)
		}
	}
}

// compare seals and opens one record, out of place and in place, as the standard library does.
func compare(t *testing.T, a *AEAD, standard cipher.AEAD, nonce, text, aad []byte, shift int) {
	t.Helper()
	want := standard.Seal(nil, nonce, text, aad)
	n := len(text)
	source := newFenced(n, (shift+5)%64)
	copy(source.room, text)
	sealed := newFenced(n+tagLen, shift)
	if got := a.Seal(sealed.room[:0], nonce, source.room, aad); !bytes.Equal(got, want) {
		t.Fatalf("%d octets: sealed %x, want %x", n, got, want)
	}
	sealed.check(t)
	opened := newFenced(n, (shift+11)%64)
	got, err := a.Open(opened.room[:0], nonce, sealed.room, aad)
	if err != nil || !bytes.Equal(got, text) || !bytes.Equal(opened.room, text) {
		t.Fatalf("%d octets: opened %x, %v, want %x", n, got, err, text)
	}
	opened.check(t)

	place := newFenced(n+tagLen, shift)
	copy(place.room, text)
	if got := a.Seal(place.room[:0], nonce, place.room[:n], aad); !bytes.Equal(got, want) {
		t.Fatalf("%d octets in place: sealed %x, want %x", n, got, want)
	}
	place.check(t)
	if got, err := a.Open(place.room[:0], nonce, place.room, aad); err != nil || !bytes.Equal(got, text) {
		t.Fatalf("%d octets in place: opened %x, %v, want %x", n, got, err, text)
	}
	place.check(t)
}

// TestAgainstStandard: every length, aligned and not, and AAD of other lengths too.
func TestAgainstStandard(t *testing.T) {
	for _, keyLen := range keyLens {
		t.Run(fmt.Sprint(8*keyLen), func(t *testing.T) {
			next := random(uint64(keyLen))
			for n := range 2049 {
				a, standard := newPair(t, next(keyLen))
				compare(t, a, standard, next(nonceLen), next(n), next(tagLen), n%64)
				compare(t, a, standard, next(nonceLen), next(n), next(n%40), 0)
			}
			for n := step; n <= maxLen; n += step {
				a, standard := newPair(t, next(keyLen))
				for shift := range 64 {
					compare(t, a, standard, next(nonceLen), next(n), next(tagLen), shift)
				}
			}
		})
	}
}

// TestExtremes: octets of ones and zeros, where carries and the reduction show what random ones may not.
func TestExtremes(t *testing.T) {
	for _, keyLen := range keyLens {
		for _, k := range []byte{0, 1, 0x80, 0xFF} {
			a, standard := newPair(t, bytes.Repeat([]byte{k}, keyLen))
			for _, c := range []byte{0, 1, 0x80, 0xFF} {
				for _, n := range []int{step, maxLen} {
					compare(t, a, standard, bytes.Repeat([]byte{c}, nonceLen), bytes.Repeat([]byte{c}, n), bytes.Repeat([]byte{c}, tagLen), 3)
				}
			}
		}
	}
}

// TestOpenRefuses: every single bit of ciphertext, tag, AAD and nonce matters, and what was refused leaves
// nothing behind.
func TestOpenRefuses(t *testing.T) {
	for _, keyLen := range keyLens {
		for _, n := range []int{step, 2 * step, maxLen} {
			t.Run(fmt.Sprint(8*keyLen, "/", n), func(t *testing.T) {
				next := random(uint64(n))
				a, _ := newPair(t, next(keyLen))
				nonce, aad := next(nonceLen), next(tagLen)
				sealed := a.Seal(nil, nonce, next(n), aad)
				room := newFenced(n, 7)
				for _, part := range [][]byte{sealed, aad, nonce} {
					for bit := range 8 * len(part) {
						part[bit/8] ^= 1 << (bit % 8)
						copy(room.room, sealed)
						got, err := a.Open(room.room[:0], nonce, sealed, aad)
						if err == nil || len(got) > 0 || slices.Max(room.room) != 0 {
							t.Fatalf("bit %d: opened %x, %v; left %x", bit, got, err, room.room)
						}
						part[bit/8] ^= 1 << (bit % 8)
					}
				}
				room.check(t)
				for cut := range tagLen + 1 {
					if _, err := a.Open(nil, nonce, sealed[:cut], aad); err == nil {
						t.Fatalf("opened the first %d octets", cut)
					}
				}
				if _, err := a.Open(nil, nonce, sealed, aad); err != nil {
					t.Fatal("refuses the record itself", err)
				}
			})
		}
	}
}

// TestPublishedKeySchedule: FIPS 197, A.1 and A.3, the last round keys.
func TestPublishedKeySchedule(t *testing.T) {
	if !Supported() {
		t.Skip("no assembly here")
	}
	for key, want := range map[string]string{
		"2b7e151628aed2a6abf7158809cf4f3c":                                 "d014f9a8c9ee2589e13f0cc8b6630ca6",
		"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4": "fe4890d1e6188d0b046df344706c631e",
	} {
		octets, _ := hex.DecodeString(key)
		var k keys
		k.expand(octets)
		if got := hex.EncodeToString(k.round[maxRounds][:]); got != want {
			t.Errorf("%s: last round key %s, want %s", key, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(make([]byte, 15)); err == nil {
		t.Fatal("New took a key of 15 octets")
	}
}

// TestT71_WipeAndPrint: the key is printed nowhere, and gone after Wipe.
func TestT71_WipeAndPrint(t *testing.T) {
	a, _ := newPair(t, make([]byte, 16))
	if got := fmt.Sprintf("%v %s %+v %#v", a, a, a, a); got != "[redacted] [redacted] [redacted] [redacted]" {
		t.Errorf("printed %q", got)
	}
	k := a.keys
	a.Wipe()
	if *k != (keys{}) || a.standard != nil {
		t.Error("not wiped")
	}
}

func TestNoAllocations(t *testing.T) {
	for _, keyLen := range keyLens {
		a, _ := newPair(t, make([]byte, keyLen))
		nonce, aad, text := make([]byte, nonceLen), make([]byte, tagLen), make([]byte, maxLen)
		sealed, opened := make([]byte, 0, maxLen+tagLen), make([]byte, 0, maxLen)
		allocated := testing.AllocsPerRun(100, func() {
			sealed = a.Seal(sealed[:0], nonce, text, aad)
			if _, err := a.Open(opened, nonce, sealed, aad); err != nil {
				t.Fatal(err)
			}
		})
		if allocated != 0 {
			t.Errorf("%v allocations", allocated)
		}
	}
}

// FuzzGCMAgainstStandard: any key, nonce, text and AAD as the standard library has them, and one bit altered.
func FuzzGCMAgainstStandard(f *testing.F) {
	for _, n := range []int{0, 16, 127, step, step + 1, maxLen, maxLen + step} {
		f.Add(n%2 == 0, []byte("key"), []byte("nonce"), bytes.Repeat([]byte{7}, n), []byte("sixteen octets.."), uint8(3), uint16(n))
	}
	f.Fuzz(func(t *testing.T, long bool, k, n, text, aad []byte, shift uint8, at uint16) {
		key, nonce := make([]byte, 16), make([]byte, nonceLen)
		if long {
			key = make([]byte, 32)
		}
		copy(key, k)
		copy(nonce, n)
		a, standard := newPair(t, key)
		compare(t, a, standard, nonce, text, aad, int(shift%64))
		whole := text[:len(text)/step*step] // what fuzzing finds seldom has the usual length
		aad = append(bytes.Clone(aad), make([]byte, tagLen)...)[:tagLen]
		compare(t, a, standard, nonce, whole, aad, int(shift%64))
		sealed := a.Seal(nil, nonce, whole, aad)
		sealed[int(at/8)%len(sealed)] ^= 1 << (at % 8)
		if got, err := a.Open(nil, nonce, sealed, aad); err == nil || got != nil {
			t.Fatalf("bit altered in octet %d: opened %x, %v", at/8, got, err)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	for _, keyLen := range keyLens {
		a, standard := newPair(b, make([]byte, keyLen))
		for _, n := range []int{128, 1408} {
			for name, aead := range map[string]cipher.AEAD{"vaes": a, "standard": standard} {
				nonce, aad, text := make([]byte, nonceLen), make([]byte, tagLen), make([]byte, n)
				sealed, opened := make([]byte, 0, n+tagLen), make([]byte, 0, n)
				b.Run(fmt.Sprint("seal/", 8*keyLen, "/", n, "/", name), func(b *testing.B) {
					b.SetBytes(int64(n))
					b.ReportAllocs()
					for b.Loop() {
						sealed = aead.Seal(sealed[:0], nonce, text, aad)
					}
				})
				b.Run(fmt.Sprint("open/", 8*keyLen, "/", n, "/", name), func(b *testing.B) {
					sealed = aead.Seal(sealed[:0], nonce, text, aad)
					b.SetBytes(int64(n))
					b.ReportAllocs()
					for b.Loop() {
						aead.Open(opened, nonce, sealed, aad)
					}
				})
			}
		}
	}
}

// BenchmarkNew is what a key costs.
func BenchmarkNew(b *testing.B) {
	for _, keyLen := range keyLens {
		newPair(b, make([]byte, keyLen))
		b.Run(fmt.Sprint(8*keyLen, "/vaes"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				New(make([]byte, keyLen))
			}
		})
		b.Run(fmt.Sprint(8*keyLen, "/standard"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				block, _ := aes.NewCipher(make([]byte, keyLen))
				cipher.NewGCM(block)
			}
		})
	}
}
