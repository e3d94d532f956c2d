package nea_test

import (
	"bytes"
	"testing"

	"pc5d/dataplane/nea"
)

// TestP5_MACForgetsWhatWasBefore: the MAC-I of a message does not depend on the messages before
// it, whatever their lengths.
func TestP5_MACForgetsWhatWasBefore(t *testing.T) {
	make1 := func() nea.MAC {
		m, err := nea.NewMAC(nea.NIA2, [16]byte{1})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for first := range 70 {
		for second := range 70 {
			used, message := make1(), bytes.Repeat([]byte{0x55}, second)
			used.Sum(0, 1, 0, bytes.Repeat([]byte{0xaa}, first))
			if got, want := used.Sum(1, 1, 1, message), make1().Sum(1, 1, 1, message); got != want {
				t.Fatalf("%d octets after %d: %x, want %x", second, first, got, want)
			}
		}
	}
}
