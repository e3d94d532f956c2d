package nea_test

import (
	"bytes"
	"crypto/aes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/emmansun/gmsm/cbcmac"

	"pc5d/dataplane/nea"
)

// octets is a hexadecimal field of a vector.
type octets []byte

func (o *octets) UnmarshalText(b []byte) error {
	var err error
	*o, err = hex.DecodeString(string(b))
	return err
}

type vector struct {
	ID         string `json:"id"`
	Key        octets `json:"key"`
	Count      uint32 `json:"count"`
	Bearer     uint8  `json:"bearer"`
	Direction  uint8  `json:"direction"`
	LengthBits int    `json:"length_bits"`
	Plaintext  octets `json:"plaintext"`
	Ciphertext octets `json:"ciphertext"`
	Message    octets `json:"message"`
	MAC        octets `json:"mac"`
}

func load(t *testing.T, name string) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) == 0 {
		t.Fatalf("%s has no vectors", name)
	}
	return file.Vectors
}

// TestVectorsNEA2 runs TS 33.401, C.1 in both directions. The unused bits of a last octet are 0.
func TestVectorsNEA2(t *testing.T) {
	for _, v := range load(t, "nea2.json") {
		c, err := nea.NewCipher(nea.NEA2, [16]byte(v.Key))
		if err != nil {
			t.Fatal(err)
		}
		for _, way := range []struct{ in, out octets }{{v.Plaintext, v.Ciphertext}, {v.Ciphertext, v.Plaintext}} {
			got := make([]byte, len(way.in))
			c.XORKeyStream(got, way.in, v.Count, v.Bearer, v.Direction)
			if spare := 8*len(got) - v.LengthBits; spare > 0 {
				got[len(got)-1] &= 0xFF << spare
			}
			if !bytes.Equal(got, way.out) {
				t.Errorf("%s: got %x, want %x", v.ID, got, way.out)
			}
		}
	}
}

// TestVectorsNIA2 runs TS 33.401, C.2, and each vector again with one bit of the message flipped.
func TestVectorsNIA2(t *testing.T) {
	run := 0
	for _, v := range load(t, "nia2.json") {
		if v.LengthBits%8 != 0 {
			t.Logf("%s: left out: %d bits, and pc5d has whole octets only", v.ID, v.LengthBits)
			continue
		}
		run++
		m, err := nea.NewMAC(nea.NIA2, [16]byte(v.Key))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Sum(v.Count, v.Bearer, v.Direction, v.Message); !bytes.Equal(got[:], v.MAC) {
			t.Errorf("%s: got %x, want %x", v.ID, got, v.MAC)
		}
		half := len(v.Message) / 2
		if got := m.Sum(v.Count, v.Bearer, v.Direction, v.Message[:half], v.Message[half:]); !bytes.Equal(got[:], v.MAC) {
			t.Errorf("%s in two parts: got %x, want %x", v.ID, got, v.MAC)
		}
		if len(v.Message) == 0 {
			continue
		}
		v.Message[half] ^= 1
		if got := m.Sum(v.Count, v.Bearer, v.Direction, v.Message); bytes.Equal(got[:], v.MAC) {
			t.Errorf("%s: a flipped bit has the same MAC", v.ID)
		}
	}
	if run == 0 {
		t.Fatal("no vector was run")
	}
}

// TestVectorsCMAC runs RFC 4493 on the library that 128-NIA2 is made from.
func TestVectorsCMAC(t *testing.T) {
	for _, v := range load(t, "aes_cmac_rfc4493.json") {
		block, err := aes.NewCipher(v.Key)
		if err != nil {
			t.Fatal(err)
		}
		if got := cbcmac.NewCMAC(block, aes.BlockSize).MAC(v.Message); !bytes.Equal(got, v.MAC) {
			t.Errorf("%s: got %x, want %x", v.ID, got, v.MAC)
		}
	}
}

// TestNotBuilt: an algorithm that is not built in is an error, and so is null integrity.
func TestNotBuilt(t *testing.T) {
	for _, a := range []nea.Ciphering{nea.NEA1, nea.NEA3, nea.NEA4, nea.NEA7} {
		if _, err := nea.NewCipher(a, [16]byte{}); err == nil {
			t.Errorf("%s was made", a)
		}
	}
	for _, a := range []nea.Integrity{nea.NIA0, nea.NIA1, nea.NIA3} {
		if _, err := nea.NewMAC(a, [16]byte{}); err == nil {
			t.Errorf("%s was made", a)
		}
	}
}
