package suite

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"fmt"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The GCM specification's test case 4 (AES-128, AAD, 60 octets), with COUNT folded into the
// salt so that the nonce comes out as published.
func TestSealPublishedVector(t *testing.T) {
	nonce := unhex(t, "cafebabefacedbaddecaf888")
	const count = 0x0102030405
	salt := [12]byte(nonce)
	for i, b := range []byte{0x01, 0x02, 0x03, 0x04, 0x05} {
		salt[7+i] ^= b
	}
	s, err := New(AES128GCM, unhex(t, "feffe9928665731c6d6a8f9467308308"), salt)
	if err != nil {
		t.Fatal(err)
	}
	text := unhex(t, "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
	batch := []Item{{Count: count, AAD: unhex(t, "feedfacedeadbeeffeedfacedeadbeefabaddad2"), Text: text, Dst: make([]byte, 0, len(text)+TagLen)}}
	s.Seal(batch)
	want := "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091" + "5bc94fbc3221a5db94fae95ae7121a47"
	if got := hex.EncodeToString(batch[0].Dst); !batch[0].OK || got != want {
		t.Fatalf("sealed = %s, want %s", got, want)
	}
}

func TestNonceIsSaltXorCount(t *testing.T) {
	key, salt := bytes.Repeat([]byte{7}, 16), [12]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	block, _ := aes.NewCipher(key)
	gcm, _ := cipher.NewGCM(block)
	s, err := New(AES128GCM, key, salt)
	if err != nil {
		t.Fatal(err)
	}
	for _, count := range []uint64{0, 1, 0xff, 1 << 20, 1<<48 - 1} {
		nonce := salt
		for i := range 6 {
			nonce[11-i] ^= byte(count >> (8 * i))
		}
		batch := []Item{{Count: count, AAD: []byte("aad"), Text: []byte("text"), Dst: make([]byte, 0, 32)}}
		s.Seal(batch)
		if want := gcm.Seal(nil, nonce[:], []byte("text"), []byte("aad")); !bytes.Equal(batch[0].Dst, want) {
			t.Errorf("COUNT %d: sealed %x, want %x", count, batch[0].Dst, want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	s, err := New(AES128GCM, make([]byte, 16), [12]byte{})
	if err != nil {
		t.Fatal(err)
	}
	sealed := []Item{{Count: 5, AAD: []byte("header"), Text: []byte("payload"), Dst: make([]byte, 0, 64)}}
	s.Seal(sealed)
	good := sealed[0].Dst
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	tests := []struct {
		name string
		item Item
		want bool
	}{
		{"as sealed", Item{Count: 5, AAD: []byte("header"), Text: good}, true},
		{"another COUNT", Item{Count: 6, AAD: []byte("header"), Text: good}, false},
		{"another header", Item{Count: 5, AAD: []byte("headex"), Text: good}, false},
		{"tag changed", Item{Count: 5, AAD: []byte("header"), Text: flipped}, false},
		{"short tag", Item{Count: 5, AAD: []byte("header"), Text: good[:len(good)-1]}, false},
		{"shorter than a tag", Item{Count: 5, Text: good[:3]}, false},
		{"empty", Item{Count: 5}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.item.Dst = make([]byte, 0, 64)
			batch := []Item{tt.item}
			s.Open(batch)
			if batch[0].OK != tt.want {
				t.Fatalf("OK = %v, want %v", batch[0].OK, tt.want)
			}
			if want := map[bool]string{true: "payload"}[tt.want]; string(batch[0].Dst) != want {
				t.Fatalf("Dst = %q, want %q", batch[0].Dst, want)
			}
		})
	}
}

func TestNoRoomIsNotOK(t *testing.T) {
	s, _ := New(AES128GCM, make([]byte, 16), [12]byte{})
	batch := []Item{{Text: make([]byte, 10), Dst: make([]byte, 0, 25)}}
	s.Seal(batch)
	if batch[0].OK {
		t.Fatal("sealed into too little room")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, id := range []ID{None, AES256GCM, ChaCha20Poly1305, 9} {
		if _, err := New(id, make([]byte, id.KeyLen()), [12]byte{}); err == nil {
			t.Errorf("New(%s) made a suite that is not built", id)
		}
	}
	if _, err := New(AES128GCM, make([]byte, 15), [12]byte{}); err == nil {
		t.Error("New took a key of 15 octets")
	}
}

func TestPrintsRedacted(t *testing.T) {
	s, _ := New(AES128GCM, make([]byte, 16), [12]byte{1})
	if got := fmt.Sprintf("%v %s", s, s); got != "[redacted] [redacted]" {
		t.Fatalf("printed %q", got)
	}
}

func TestNoAllocations(t *testing.T) {
	s, _ := New(AES128GCM, make([]byte, 16), [12]byte{})
	seal, open := make([]Item, 8), make([]Item, 8)
	for i := range seal {
		seal[i] = Item{Count: uint64(i), AAD: make([]byte, 16), Text: make([]byte, 1408), Dst: make([]byte, 0, 1424)}
	}
	s.Seal(seal)
	for i := range open {
		open[i] = Item{Count: uint64(i), AAD: seal[i].AAD, Text: bytes.Clone(seal[i].Dst), Dst: make([]byte, 0, 1408)}
	}
	if n := testing.AllocsPerRun(100, func() { s.Seal(seal); s.Open(open) }); n != 0 {
		t.Fatalf("%v allocations per batch", n)
	}
	if !open[7].OK {
		t.Fatal("open failed")
	}
}

func TestIDText(t *testing.T) {
	for _, id := range []ID{None, AES128GCM, AES256GCM, ChaCha20Poly1305} {
		var got ID
		if err := got.UnmarshalText([]byte(id.String())); err != nil || got != id {
			t.Errorf("%s read back as %s, %v", id, got, err)
		}
	}
	var id ID
	if err := id.UnmarshalText([]byte("aes128")); err == nil {
		t.Error("took an unknown word")
	}
	if got := ID(77).String(); got != "suite-77" {
		t.Errorf("unknown ID prints as %q", got)
	}
}

func BenchmarkSeal(b *testing.B) {
	for _, n := range []int{128, 1408} {
		b.Run(fmt.Sprint("aes-128-gcm/", n), func(b *testing.B) {
			s, _ := New(AES128GCM, make([]byte, 16), [12]byte{})
			batch := []Item{{AAD: make([]byte, 16), Text: make([]byte, n), Dst: make([]byte, 0, n+TagLen)}}
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				batch[0].Count++
				s.Seal(batch)
			}
		})
	}
}
