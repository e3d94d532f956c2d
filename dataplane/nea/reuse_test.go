package nea_test

import (
	"bytes"
	"testing"

	"pc5d/dataplane/nea"
)

// TestP5_MACForgetsWhatWasBefore: the MAC-I of a message does not depend on the messages before
// it, whatever their lengths. The AES library mixed leftovers in where a MAC was used again.
func TestP5_MACForgetsWhatWasBefore(t *testing.T) {
	for _, alg := range everyMAC {
		make1 := func() nea.MAC { return newMAC(t, alg, append(make([]byte, 15), 1)) }
		for first := range 70 {
			used := make1()
			for second := range 70 {
				message := bytes.Repeat([]byte{0x55}, second)
				used.Sum(0, 1, 0, bytes.Repeat([]byte{0xaa}, first))
				if got, want := used.Sum(1, 1, 1, message), make1().Sum(1, 1, 1, message); got != want {
					t.Fatalf("%s: %d octets after %d: %x, want %x", alg, second, first, got, want)
				}
			}
		}
	}
}

// TestP5_CipherForgetsWhatWasBefore: the same for ciphers. The lengths go over the 128 octets that
// the ZUC library makes ahead.
func TestP5_CipherForgetsWhatWasBefore(t *testing.T) {
	for _, alg := range everyCipher {
		make1 := func() nea.Cipher { return newCipher(t, alg, append(make([]byte, 15), 1)) }
		for first := range 140 {
			used := make1()
			for second := 0; second < 270; second += 7 {
				got, want := bytes.Repeat([]byte{0x55}, second), bytes.Repeat([]byte{0x55}, second)
				before := bytes.Repeat([]byte{0xaa}, first)
				used.XORKeyStream(before, before, 0, 1, 0)
				used.XORKeyStream(got, got, 1, 1, 1)
				if make1().XORKeyStream(want, want, 1, 1, 1); !bytes.Equal(got, want) {
					t.Fatalf("%s: %d octets after %d: %x, want %x", alg, second, first, got, want)
				}
			}
		}
	}
}
