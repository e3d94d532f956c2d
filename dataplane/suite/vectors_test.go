package suite

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"
)

type octets []byte

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(text))
	return err
}

type vector struct {
	Source, Comment, Result, Mode string
	ID                            int
	Suite                         ID
	Count                         uint64
	Skip                          int
	Key, Nonce, AAD, Text, Sealed octets
}

func readVectors(t *testing.T, name string) []vector {
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

// saltOf gives the salt that makes the nonce with a COUNT.
func saltOf(nonce []byte, count uint64) [SaltLen]byte {
	salt := [SaltLen]byte(nonce)
	for i := range 6 {
		salt[SaltLen-1-i] ^= byte(count >> (8 * i))
	}
	return salt
}

func (v *vector) suite(t *testing.T, id ID, mode Mode) Suite {
	t.Helper()
	s, err := New(id, mode, v.Key, saltOf(v.Nonce, v.Count))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sealOne(s Suite, count uint64, aad, text []byte) []byte {
	batch := []Item{{Count: count, AAD: aad, Text: text, Dst: make([]byte, 0, len(text)+TagLen)}}
	s.Seal(batch)
	return batch[0].Dst
}

func openOne(s Suite, count uint64, aad, sealed []byte) ([]byte, bool) {
	batch := []Item{{Count: count, AAD: aad, Text: sealed, Dst: make([]byte, 0, len(sealed))}}
	s.Open(batch)
	return batch[0].Dst, batch[0].OK
}

// TestPublishedVectors: what the documents print, with COUNT folded into the salt.
func TestPublishedVectors(t *testing.T) {
	for _, v := range readVectors(t, "published.json") {
		mode := Mode(slices.Index(modeNames[:], v.Mode))
		s := v.suite(t, v.Suite, mode)
		text := append(make([]byte, v.Skip), v.Text...)
		sealed := sealOne(s, v.Count, v.AAD, text)
		if !bytes.Equal(sealed[v.Skip:], v.Sealed) {
			t.Errorf("%s: sealed %x, want %x", v.Source, sealed[v.Skip:], []byte(v.Sealed))
		}
		if opened, ok := openOne(s, v.Count, v.AAD, sealed); !ok || !bytes.Equal(opened, text) {
			t.Errorf("%s: opened %x, %v", v.Source, opened, ok)
		}
	}
}

// TestWycheproof: valid ones seal and open as written, invalid ones do not open.
func TestWycheproof(t *testing.T) {
	for _, file := range []struct {
		name string
		mode Mode
		id   func(key int) ID
	}{
		{"wycheproof_aes_gcm.json", AEAD, aesOf},
		{"wycheproof_aes_gmac.json", IntegrityOnly, aesOf},
		{"wycheproof_chacha20_poly1305.json", AEAD, func(int) ID { return ChaCha20Poly1305 }},
	} {
		t.Run(file.name, func(t *testing.T) {
			for _, v := range readVectors(t, file.name) {
				checkWycheproof(t, v, v.suite(t, file.id(len(v.Key)), file.mode))
			}
		})
	}
}

func aesOf(key int) ID {
	if key == AES128GCM.KeyLen() {
		return AES128GCM
	}
	return AES256GCM
}

func checkWycheproof(t *testing.T, v vector, s Suite) {
	opened, ok := openOne(s, v.Count, v.AAD, v.Sealed)
	if want := v.Result == "valid"; ok != want {
		t.Errorf("%d (%s): opened %v, want %s", v.ID, v.Comment, ok, v.Result)
	}
	if v.Result != "valid" {
		if len(opened) != 0 {
			t.Errorf("%d (%s): refused, but gave %x", v.ID, v.Comment, opened)
		}
		return
	}
	if !bytes.Equal(opened, v.Text) {
		t.Errorf("%d (%s): opened %x, want %x", v.ID, v.Comment, opened, []byte(v.Text))
	}
	if sealed := sealOne(s, v.Count, v.AAD, v.Text); !bytes.Equal(sealed, v.Sealed) {
		t.Errorf("%d (%s): sealed %x, want %x", v.ID, v.Comment, sealed, []byte(v.Sealed))
	}
}
