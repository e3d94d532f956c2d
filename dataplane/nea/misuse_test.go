package nea_test

import (
	"bytes"
	"sync"
	"testing"

	"pc5d/dataplane/nea"
)

// use is everything that a keystream or a MAC-I depends on.
type use struct {
	name      string
	key       [16]byte
	count     uint32
	bearer    uint8
	direction uint8
}

// uses are one good use, and each that differs from it in one bit of one input.
func uses() []use {
	good := use{"good", [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, 0x2fff, 2, 0}
	all := []use{good}
	add := func(name string, change func(*use)) {
		u := good
		u.name = name
		change(&u)
		all = append(all, u)
	}
	for bit := range 128 {
		add("key", func(u *use) { u.key[bit/8] ^= 1 << (bit % 8) })
	}
	for bit := range 32 {
		add("COUNT", func(u *use) { u.count ^= 1 << bit })
	}
	for bit := range 5 {
		add("BEARER", func(u *use) { u.bearer ^= 1 << bit })
	}
	add("DIRECTION", func(u *use) { u.direction ^= 1 })
	return all
}

// TestP5_T51_AnotherKeystream: any other bit of key, COUNT, BEARER or DIRECTION gives another
// keystream, also another one than all the others.
func TestP5_T51_AnotherKeystream(t *testing.T) {
	for _, alg := range everyCipher {
		seen := map[[16]byte]string{}
		for _, u := range uses() {
			var z [16]byte
			newCipher(t, alg, u.key[:]).XORKeyStream(z[:], z[:], u.count, u.bearer, u.direction)
			if other, ok := seen[z]; ok {
				t.Errorf("%s: %s and %s have the same keystream", alg, other, u.name)
			}
			seen[z] = u.name
		}
	}
}

// TestP5_AnotherMAC: any other bit of key, COUNT, BEARER, DIRECTION or message, another length, and
// the other algorithms give another MAC-I.
func TestP5_AnotherMAC(t *testing.T) {
	message := []byte("DIRECT LINK SECURITY MODE COMMAND, 41 octets")[:41]
	for _, alg := range everyMAC {
		want := newMAC(t, alg, octets(uses()[0].key[:])).Sum(0x2fff, 2, 0, message)
		for _, u := range uses()[1:] {
			if newMAC(t, alg, u.key[:]).Sum(u.count, u.bearer, u.direction, message) == want {
				t.Errorf("%s: another %s has the same MAC-I", alg, u.name)
			}
		}
		good := uses()[0]
		m := newMAC(t, alg, good.key[:])
		for bit := range 8 * len(message) {
			forged := bytes.Clone(message)
			forged[bit/8] ^= 1 << (bit % 8)
			if m.Sum(good.count, good.bearer, good.direction, forged) == want {
				t.Errorf("%s: bit %d flipped has the same MAC-I", alg, bit)
			}
		}
		for n := range message {
			if m.Sum(good.count, good.bearer, good.direction, message[:n]) == want {
				t.Errorf("%s: cut to %d octets has the same MAC-I", alg, n)
			}
		}
		for n := 1; n < 20; n++ { // 7 of them within the last block, which zeros fill anyhow
			if m.Sum(good.count, good.bearer, good.direction, message, make([]byte, n)) == want {
				t.Errorf("%s: with %d zeros behind it has the same MAC-I", alg, n)
			}
		}
		for _, other := range everyMAC {
			if other != alg && newMAC(t, other, good.key[:]).Sum(good.count, good.bearer, good.direction, message) == want {
				t.Errorf("%s and %s have the same MAC-I", alg, other)
			}
		}
	}
}

// FuzzRoundTrip: what was ciphered deciphers; a beginning of a message has the beginning of its
// ciphertext; the octets beyond the message stay; a MAC-I does not depend on how a message is cut.
func FuzzRoundTrip(f *testing.F) {
	for n := range 20 {
		f.Add(uint8(n), []byte{byte(n)}, uint32(n), uint8(n), uint8(n), bytes.Repeat([]byte{byte(n)}, 17*n), uint16(n*n))
	}
	f.Fuzz(func(t *testing.T, which uint8, k []byte, count uint32, bearer, direction uint8, message []byte, cut uint16) {
		var key [16]byte
		copy(key[:], k)
		bearer, direction = bearer&0x1f, direction&1
		at := min(int(cut), len(message))
		c := newCipher(t, everyCipher[int(which)%len(everyCipher)], key[:])
		whole := make([]byte, len(message)+1)
		c.XORKeyStream(whole, message, count, bearer, direction)
		if whole[len(message)] != 0 {
			t.Fatal("wrote beyond the message")
		}
		part := make([]byte, at)
		if c.XORKeyStream(part, message[:at], count, bearer, direction); !bytes.Equal(part, whole[:at]) {
			t.Fatalf("the first %d octets alone: %x, want %x", at, part, whole[:at])
		}
		back := whole[:len(message)]
		if c.XORKeyStream(back, back, count, bearer, direction); !bytes.Equal(back, message) {
			t.Fatalf("back: %x, want %x", back, message)
		}
		m := newMAC(t, everyMAC[int(which)%len(everyMAC)], key[:])
		want := m.Sum(count, bearer, direction, message)
		if got := m.Sum(count, bearer, direction, message[:at], message[at:]); got != want {
			t.Fatalf("cut at %d: %x, want %x", at, got, want)
		}
	})
}

// TestCipherIsShared: a Cipher may be used concurrently.
func TestCipherIsShared(t *testing.T) {
	for _, alg := range everyCipher {
		c := newCipher(t, alg, make(octets, 16))
		var want [8][200]byte
		for i := range want {
			c.XORKeyStream(want[i][:], want[i][:], uint32(i), 1, 0)
		}
		var users sync.WaitGroup
		for i := range want {
			users.Go(func() {
				for range 20 {
					var got [200]byte
					if c.XORKeyStream(got[:], got[:], uint32(i), 1, 0); got != want[i] {
						t.Errorf("%s: COUNT %d: another keystream", alg, i)
					}
				}
			})
		}
		users.Wait()
	}
}

// TestAllocations: no memory per message, except for what the AES library makes of a MAC at its end: two times 16 octets.
func TestAllocations(t *testing.T) {
	message := make([]byte, 1408)
	parts := [][]byte{message[:4], message[4:]}
	for _, alg := range []nea.Ciphering{nea.NEA1, nea.NEA2} {
		c := newCipher(t, alg, make(octets, 16))
		if n := testing.AllocsPerRun(100, func() { c.XORKeyStream(message, message, 1, 2, 0) }); n != 0 {
			t.Errorf("%s: %v allocations", alg, n)
		}
	}
	for alg, most := range map[nea.Integrity]float64{nea.NIA1: 0, nea.NIA2: 2} {
		m := newMAC(t, alg, make(octets, 16))
		if n := testing.AllocsPerRun(100, func() { m.Sum(1, 2, 0, parts...) }); n > most {
			t.Errorf("%s: %v allocations", alg, n)
		}
	}
}
