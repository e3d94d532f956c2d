package suite

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"testing"
)

// ids are all suites.
var ids = []ID{AES128GCM, AES256GCM, ChaCha20Poly1305}

func TestNonceIsSaltXorCount(t *testing.T) {
	key, salt := bytes.Repeat([]byte{7}, 16), [12]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	block, _ := aes.NewCipher(key)
	gcm, _ := cipher.NewGCM(block)
	s, err := New(AES128GCM, AEAD, key, salt)
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
	s, err := New(AES128GCM, AEAD, make([]byte, 16), [12]byte{})
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
	s, _ := New(AES128GCM, AEAD, make([]byte, 16), [12]byte{})
	batch := []Item{{Text: make([]byte, 10), Dst: make([]byte, 0, 25)}}
	s.Seal(batch)
	if batch[0].OK {
		t.Fatal("sealed into too little room")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, id := range []ID{None, 4, 9} {
		if _, err := New(id, AEAD, make([]byte, id.KeyLen()), [12]byte{}); err == nil {
			t.Errorf("New(%s) made a suite that is not built", id)
		}
	}
	if _, err := New(AES128GCM, AEAD, make([]byte, 15), [12]byte{}); err == nil {
		t.Error("New took a key of 15 octets")
	}
	if _, err := New(AES128GCM, modeCount, make([]byte, 16), [12]byte{}); err == nil {
		t.Error("New took a mode that does not exist")
	}
}

// each runs a test for each suite in each mode.
func each(t *testing.T, run func(t *testing.T, id ID, mode Mode, s Suite)) {
	for _, id := range ids {
		for mode := range modeCount {
			t.Run(fmt.Sprint(id, "/", mode), func(t *testing.T) {
				s, err := New(id, mode, bytes.Repeat([]byte{3}, id.KeyLen()), [SaltLen]byte{1})
				if err != nil {
					t.Fatal(err)
				}
				run(t, id, mode, s)
			})
		}
	}
}

// TestT71_SuitePrintsRedacted: neither key nor salt is printed, and both are gone after Wipe as far
// as they are ours.
func TestT71_SuitePrintsRedacted(t *testing.T) {
	each(t, func(t *testing.T, _ ID, _ Mode, s Suite) {
		if got := fmt.Sprintf("%v %s %+v %#v", s, s, s, s); got != "[redacted] [redacted] [redacted] [redacted]" {
			t.Errorf("printed %q", got)
		}
		p := s.(*plain)
		m := p.method
		s.Wipe()
		if c, ok := m.(*chaCha20); ok && c.key != [32]byte{} || p.salt != [SaltLen]byte{} {
			t.Error("not wiped")
		}
	})
}

// TestR19_TextReadable_T56: the text stands in a record as it is exactly where ciphering is off, and a tag
// behind it exactly where integrity is on. T56: it has all its 128 bits.
func TestR19_TextReadable_T56(t *testing.T) {
	text := []byte("anybody can read this")
	each(t, func(t *testing.T, _ ID, mode Mode, s Suite) {
		sealed := sealOne(s, 7, []byte("header"), text)
		if got, want := bytes.Contains(sealed, text), mode == IntegrityOnly || mode == Unprotected; got != want {
			t.Errorf("text readable: %v, want %v", got, want)
		}
		if got, want := len(sealed)-len(text), map[bool]int{true: 16}[mode == AEAD || mode == IntegrityOnly]; got != want || s.TagLen() != want || mode.TagLen() != want {
			t.Errorf("tag of %d octets, %d said, want %d", got, s.TagLen(), want)
		}
	})
}

// TestNoAllocations: none for a batch, in any suite and mode, where the items lie as the records have
// them.
func TestNoAllocations(t *testing.T) {
	each(t, func(t *testing.T, _ ID, mode Mode, s Suite) {
		const n = 1408
		seal, open := make([]Item, 8), make([]Item, 8)
		for i := range seal {
			seal[i] = adjacent(uint64(i), make([]byte, 16), make([]byte, n))
		}
		s.Seal(seal)
		for i := range open {
			datagram := append(bytes.Clone(seal[i].AAD), seal[i].Dst...)
			open[i] = Item{Count: uint64(i), AAD: datagram[:16], Text: datagram[16:], Dst: make([]byte, 0, n)}
		}
		if allocated := testing.AllocsPerRun(100, func() { s.Seal(seal); s.Open(open) }); allocated != 0 {
			t.Fatalf("%v allocations per batch", allocated)
		}
		if !open[7].OK {
			t.Fatal("open failed")
		}
	})
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
	for _, id := range ids {
		for mode := range modeCount {
			for _, n := range []int{128, 1408} {
				b.Run(fmt.Sprint(id, "/", mode, "/", n), func(b *testing.B) {
					s, err := New(id, mode, make([]byte, id.KeyLen()), [SaltLen]byte{})
					if err != nil {
						b.Fatal(err)
					}
					batch := []Item{adjacent(0, make([]byte, 16), make([]byte, n))}
					b.SetBytes(int64(n))
					b.ReportAllocs()
					for b.Loop() {
						batch[0].Count++
						s.Seal(batch)
					}
				})
			}
		}
	}
}
