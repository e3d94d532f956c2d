package suite

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"slices"
	"testing"

	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/chacha20poly1305"
)

// oracle seals one record with the libraries alone, in the simplest way.
func oracle(t testing.TB, id ID, mode Mode, key []byte, nonce [SaltLen]byte, aad, text []byte) []byte {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	switch {
	case mode == Unprotected:
		return text
	case mode == CipheringOnly && id == ChaCha20Poly1305:
		s, err := chacha20.NewUnauthenticatedCipher(key, nonce[:])
		must(err)
		out := make([]byte, len(text))
		s.XORKeyStream(out, text)
		return out
	case mode == CipheringOnly:
		block, err := aes.NewCipher(key)
		must(err)
		out := make([]byte, len(text))
		cipher.NewCTR(block, append(nonce[:], 0, 0, 0, 0)).XORKeyStream(out, text)
		return out
	}
	aead, err := oracleAEAD(id, key)
	must(err)
	if mode == IntegrityOnly {
		return append(slices.Clone(text), aead.Seal(nil, nonce[:], nil, slices.Concat(aad, text))...)
	}
	return aead.Seal(nil, nonce[:], text, aad)
}

func oracleAEAD(id ID, key []byte) (cipher.AEAD, error) {
	if id == ChaCha20Poly1305 {
		return chacha20poly1305.New(key)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// FuzzSuites compares batches with the oracle, opens what was sealed, in place and out of place, and
// alters one octet: the modes with a tag refuse that, the others do not notice it.
func FuzzSuites(f *testing.F) {
	for _, id := range ids {
		for mode := range modeCount {
			f.Add(uint8(id), uint8(mode), uint64(1)<<40|5, bytes.Repeat([]byte{7}, 44), []byte("sixteen octets.."), []byte("some octets that fill more than one block of either cipher, and some"), uint16(3))
		}
	}
	f.Fuzz(func(t *testing.T, which, how uint8, count uint64, secret, aad, text []byte, at uint16) {
		id, mode := ids[int(which)%len(ids)], Mode(how)%modeCount
		var material [44]byte
		copy(material[:], secret)
		count &= 1<<48 - 1
		key, salt := material[:id.KeyLen()], [SaltLen]byte(material[32:])
		s, err := New(id, mode, key, salt)
		if err != nil {
			t.Fatal(err)
		}
		batch := []Item{
			{Count: count, AAD: aad, Text: text, Dst: make([]byte, 0, len(text)+mode.TagLen())},
			adjacent(count, aad, text),
			inPlace(count, aad, text),
		}
		s.Seal(batch)
		want := oracle(t, id, mode, key, saltOf(salt[:], count), aad, text)
		for i, it := range batch {
			if !it.OK || !bytes.Equal(it.Dst, want) {
				t.Fatalf("%s, %s, item %d: sealed %x, want %x", id, mode, i, it.Dst, want)
			}
		}
		checkOpen(t, s, mode, batch[0], text, int(at))
	})
}

// adjacent is an item as the records have it: AAD and result in one piece.
func adjacent(count uint64, aad, text []byte) Item {
	datagram := append(make([]byte, 0, len(aad)+len(text)+TagLen), aad...)
	return Item{Count: count, AAD: datagram, Text: text, Dst: datagram[len(aad):len(aad):cap(datagram)]}
}

func inPlace(count uint64, aad, text []byte) Item {
	room := append(make([]byte, 0, len(text)+TagLen), text...)
	return Item{Count: count, AAD: aad, Text: room, Dst: room[:0]}
}

func checkOpen(t *testing.T, s Suite, mode Mode, sealed Item, text []byte, at int) {
	datagram := slices.Concat(sealed.AAD, sealed.Dst)
	n := len(sealed.AAD)
	batch := []Item{
		{Count: sealed.Count, AAD: sealed.AAD, Text: bytes.Clone(sealed.Dst), Dst: make([]byte, 0, len(text))},
		{Count: sealed.Count, AAD: datagram[:n], Text: datagram[n:], Dst: make([]byte, 0, len(text))},
		inPlace(sealed.Count, sealed.AAD, sealed.Dst),
	}
	s.Open(batch)
	for i, it := range batch {
		if !it.OK || !bytes.Equal(it.Dst, text) {
			t.Fatalf("%s, item %d: opened %x, %v, want %x", mode, i, it.Dst, it.OK, text)
		}
	}
	if len(datagram) == 0 {
		return
	}
	at %= len(datagram)
	datagram[at] ^= 0x10
	opened, ok := openOne(s, sealed.Count, datagram[:n], datagram[n:])
	if ok == mode.Authentic() || !ok && len(opened) > 0 {
		t.Fatalf("%s: octet %d altered: opened %x, %v", mode, at, opened, ok)
	}
}
