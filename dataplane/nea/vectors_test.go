package nea_test

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/emmansun/gmsm/cbcmac"
	"github.com/emmansun/gmsm/zuc"

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
	Fresh      uint32 `json:"fresh"`

	Generator string `json:"generator"`
	IV        octets `json:"iv"`
	Offset    int    `json:"keystream_offset"`
	Keystream octets `json:"keystream"`
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

// everyCipher and everyMAC are what is built in and does something.
var (
	everyCipher = []nea.Ciphering{nea.NEA1, nea.NEA2, nea.NEA3}
	everyMAC    = []nea.Integrity{nea.NIA1, nea.NIA2, nea.NIA3}
)

func newCipher(t testing.TB, alg nea.Ciphering, key octets) nea.Cipher {
	t.Helper()
	c, err := nea.NewCipher(alg, [16]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newMAC(t testing.TB, alg nea.Integrity, key octets) nea.MAC {
	t.Helper()
	m, err := nea.NewMAC(alg, [16]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestVectorsNEA runs TS 33.401, C.1 and C.3, TS 35.217 and TS 35.223, 4 in both directions, into
// other memory and in place. All lengths are run: the unused bits of a last octet are 0.
func TestVectorsNEA(t *testing.T) {
	for _, alg := range everyCipher {
		for _, v := range load(t, alg.String()+".json") {
			c := newCipher(t, alg, v.Key)
			for _, way := range []struct{ in, out octets }{{v.Plaintext, v.Ciphertext}, {v.Ciphertext, v.Plaintext}} {
				inPlace := bytes.Clone(way.in)
				c.XORKeyStream(inPlace, inPlace, v.Count, v.Bearer, v.Direction)
				got := make([]byte, len(way.in))
				c.XORKeyStream(got, way.in, v.Count, v.Bearer, v.Direction)
				if !bytes.Equal(got, inPlace) {
					t.Errorf("%s: %s: in place %x, elsewhere %x", alg, v.ID, inPlace, got)
				}
				if spare := 8*len(got) - v.LengthBits; spare > 0 {
					got[len(got)-1] &= 0xFF << spare
				}
				if !bytes.Equal(got, way.out) {
					t.Errorf("%s: %s: got %x, want %x", alg, v.ID, got, way.out)
				}
			}
		}
	}
}

// TestVectorsNIA runs TS 33.401, C.2 and C.4, and TS 35.223, 5, and each vector again with every
// bit of the message flipped. Vectors with odd bits are run below, on what the algorithm is made
// from: pc5d has whole octets only.
func TestVectorsNIA(t *testing.T) {
	for _, alg := range everyMAC {
		run := 0
		for _, v := range load(t, alg.String()+".json") {
			if v.LengthBits%8 != 0 {
				t.Logf("%s: %s: left out: %d bits, and pc5d has whole octets only", alg, v.ID, v.LengthBits)
				continue
			}
			run++
			m := newMAC(t, alg, v.Key)
			if got := m.Sum(v.Count, v.Bearer, v.Direction, v.Message); !bytes.Equal(got[:], v.MAC) {
				t.Errorf("%s: %s: got %x, want %x", alg, v.ID, got, v.MAC)
			}
			half := len(v.Message) / 2
			if got := m.Sum(v.Count, v.Bearer, v.Direction, v.Message[:half], v.Message[half:]); !bytes.Equal(got[:], v.MAC) {
				t.Errorf("%s: %s in two parts: got %x, want %x", alg, v.ID, got, v.MAC)
			}
			for bit := range min(8*len(v.Message), 1024) {
				v.Message[bit/8] ^= 0x80 >> (bit % 8)
				if got := m.Sum(v.Count, v.Bearer, v.Direction, v.Message); bytes.Equal(got[:], v.MAC) {
					t.Errorf("%s: %s: the same MAC with bit %d flipped", alg, v.ID, bit)
				}
				v.Message[bit/8] ^= 0x80 >> (bit % 8)
			}
		}
		if run == 0 {
			t.Fatalf("%s: no vector was run", alg)
		}
	}
}

// TestVectorsUIA2 runs TS 35.217 (UIA2) and TS 33.401, C.4, with all their lengths in bits.
func TestVectorsUIA2(t *testing.T) {
	for _, file := range []string{"uia2.json", "nia1.json"} {
		for _, v := range load(t, file) {
			fresh := v.Fresh | uint32(v.Bearer)<<27 // each file has one of the two
			if got := nea.UIA2([16]byte(v.Key), v.Count, fresh, v.Direction, v.LengthBits, v.Message); !bytes.Equal(got[:], v.MAC) {
				t.Errorf("%s: got %x, want %x", v.ID, got, v.MAC)
			}
		}
	}
}

// TestVectorsEIA3 runs TS 35.223, 5 with all its lengths in bits on the library that 128-NIA3 is
// made from.
func TestVectorsEIA3(t *testing.T) {
	for _, v := range load(t, "nia3.json") {
		hash, err := zuc.NewEIAHash(v.Key, v.Count, uint32(v.Bearer), uint32(v.Direction))
		if err != nil {
			t.Fatal(err)
		}
		if got := hash.Finish(v.Message, v.LengthBits); !bytes.Equal(got, v.MAC) {
			t.Errorf("%s: got %x, want %x", v.ID, got, v.MAC)
		}
	}
}

// TestVectorsKeystream runs TS 35.217 (SNOW 3G) and TS 35.223, 3 (ZUC).
func TestVectorsKeystream(t *testing.T) {
	for _, v := range load(t, "keystream_snow3g_zuc.json") {
		got := make([]byte, v.Offset+len(v.Keystream))
		switch v.Generator {
		case "SNOW3G":
			got = nea.Keystream(word4(v.Key), word4(v.IV), (len(got)+3)/4)
		case "ZUC":
			stream, err := zuc.NewCipher(v.Key, v.IV)
			if err != nil {
				t.Fatal(err)
			}
			stream.XORKeyStream(got, got)
		default:
			t.Fatalf("%s: unknown generator %q", v.ID, v.Generator)
		}
		if got = got[v.Offset:]; !bytes.Equal(got[:len(v.Keystream)], v.Keystream) {
			t.Errorf("%s: got %x, want %x", v.ID, got[:len(v.Keystream)], v.Keystream)
		}
	}
}

func word4(b []byte) (w [4]uint32) {
	for i := range w {
		w[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	return w
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
	for _, a := range []nea.Ciphering{nea.NEA4, nea.NEA5, nea.NEA6, nea.NEA7, 8, 255} {
		if _, err := nea.NewCipher(a, [16]byte{}); !errors.Is(err, nea.ErrNotBuilt) {
			t.Errorf("%s: %v", a, err)
		}
	}
	for _, a := range []nea.Integrity{nea.NIA0, nea.NIA4, nea.NIA5, nea.NIA6, nea.NIA7, 8, 255} {
		if _, err := nea.NewMAC(a, [16]byte{}); !errors.Is(err, nea.ErrNotBuilt) {
			t.Errorf("%s: %v", a, err)
		}
	}
}
