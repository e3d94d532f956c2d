package nea_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pc5d/dataplane/nea"
)

// oracle is SNOW 3G and UIA2 once more, slowly and as the standard describes them (TS 35.215,
// TS 35.216): octet by octet, with tables, shifting the register.
type oracle struct {
	sr, sq           [256]byte
	mulAlpha, divAlp [256]uint32
}

// times is a product in a field of 256 elements; low is its polynomial without x^8.
func times(a, b, low byte) (p byte) {
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			p ^= a
		}
		carry := a>>7 == 1
		if a <<= 1; carry {
			a ^= low
		}
	}
	return p
}

func power(a byte, n int, low byte) byte {
	p := byte(1)
	for range n {
		p = times(p, a, low)
	}
	return p
}

func newOracle() *oracle {
	o := new(oracle)
	for i := range 256 {
		x := byte(i)
		inverse := power(x, 254, 0x1b)
		o.sr[i] = 0x63
		for _, turn := range []int{0, 1, 2, 3, 4} {
			o.sr[i] ^= inverse<<turn | inverse>>(8-turn)
		}
		o.sq[i] = 0x25 // g49 of TS 35.216, 3.3.2
		for _, n := range []int{1, 9, 13, 15, 33, 41, 45, 47, 49} {
			o.sq[i] ^= power(x, n, 0x69)
		}
		for _, n := range []int{23, 245, 48, 239} {
			o.mulAlpha[i] = o.mulAlpha[i]<<8 | uint32(times(x, power(2, n, 0xa9), 0xa9))
		}
		for _, n := range []int{16, 39, 6, 64} {
			o.divAlp[i] = o.divAlp[i]<<8 | uint32(times(x, power(2, n, 0xa9), 0xa9))
		}
	}
	return o
}

func (o *oracle) substitute(w uint32, box *[256]byte, low byte) uint32 {
	var s, out [4]byte
	binary.BigEndian.PutUint32(s[:], w)
	for i := range s {
		s[i] = box[s[i]]
	}
	for i := range out {
		out[i] = times(s[i], 2, low) ^ s[(i+1)%4] ^ s[(i+2)%4] ^ times(s[(i+3)%4], 3, low)
	}
	return binary.BigEndian.Uint32(out[:])
}

func (o *oracle) keystream(k, iv [4]uint32, words int) (z []uint32) {
	const ones = 0xffffffff
	s := [16]uint32{
		k[0] ^ ones, k[1] ^ ones, k[2] ^ ones, k[3] ^ ones, k[0], k[1], k[2], k[3],
		k[0] ^ ones, k[1] ^ ones ^ iv[3], k[2] ^ ones ^ iv[2], k[3] ^ ones, k[0] ^ iv[1], k[1], k[2], k[3] ^ iv[0],
	}
	var r [3]uint32
	for clock := range 33 + words {
		f := (s[15] + r[0]) ^ r[1]
		r = [3]uint32{r[1] + (r[2] ^ s[5]), o.substitute(r[0], &o.sr, 0x1b), o.substitute(r[1], &o.sq, 0x69)}
		if clock > 32 {
			z = append(z, f^s[0])
		}
		v := s[0]<<8 ^ o.mulAlpha[s[0]>>24] ^ s[2] ^ s[11]>>8 ^ o.divAlp[s[11]&0xff]
		if clock < 32 {
			v ^= f
		}
		copy(s[:], s[1:])
		s[15] = v
	}
	return z
}

func (o *oracle) uea2(key [4]uint32, count uint32, bearer, direction uint8, message []byte) []byte {
	second := uint32(bearer)<<27 | uint32(direction)<<26
	out := bytes.Clone(message)
	for i, z := range o.keystream(key, [4]uint32{second, count, second, count}, (len(message)+3)/4) {
		for j := range min(4, len(out)-4*i) {
			out[4*i+j] ^= byte(z >> (24 - 8*j))
		}
	}
	return out
}

func times64(a, b uint64) (p uint64) {
	for i := 63; i >= 0; i-- {
		carry := p>>63 == 1
		if p <<= 1; carry {
			p ^= 0x1b
		}
		if b>>i&1 == 1 {
			p ^= a
		}
	}
	return p
}

func (o *oracle) uia2(key [4]uint32, count, fresh uint32, direction uint8, message []byte) (mac [4]byte) {
	z := o.keystream(key, [4]uint32{fresh ^ uint32(direction)<<15, count ^ uint32(direction)<<31, fresh, count}, 5)
	padded := append(bytes.Clone(message), make([]byte, (8-len(message)%8)%8)...)
	var value uint64
	for ; len(padded) > 0; padded = padded[8:] {
		value = times64(value^binary.BigEndian.Uint64(padded), uint64(z[0])<<32|uint64(z[1]))
	}
	value = times64(value^8*uint64(len(message)), uint64(z[2])<<32|uint64(z[3]))
	binary.BigEndian.PutUint32(mac[:], uint32(value>>32)^z[4])
	return mac
}

// TestSubstitutions: what is computed is what the standard's tables hold, for every octet in every
// place, and MULalpha and DIValpha of every octet.
func TestSubstitutions(t *testing.T) {
	o := newOracle()
	if o.sr[0x53] != 0xed || o.sq[0] != 0x25 || o.sq[1] != 0x24 || o.sq[2] != 0x73 || o.sq[3] != 0x67 || o.mulAlpha[1] != 0xe19fcf13 || o.divAlp[1] != 0x180f40cd {
		t.Fatal("the oracle does not have the standard's tables")
	}
	for i := range uint32(256) {
		for place := range 4 {
			w := 0x9e3779b9*(i+1)&^(0xff<<(8*place)) | i<<(8*place)
			s1, s2 := nea.Substitute(w, ^w)
			if w1, w2 := o.substitute(w, &o.sr, 0x1b), o.substitute(^w, &o.sq, 0x69); s1 != w1 || s2 != w2 {
				t.Fatalf("S1(%08x) = %08x, want %08x; S2(%08x) = %08x, want %08x", w, s1, w1, ^w, s2, w2)
			}
			s1, s2 = nea.Substitute(^w, w)
			if w1, w2 := o.substitute(^w, &o.sr, 0x1b), o.substitute(w, &o.sq, 0x69); s1 != w1 || s2 != w2 {
				t.Fatalf("S1(%08x) = %08x, want %08x; S2(%08x) = %08x, want %08x", ^w, s1, w1, w, s2, w2)
			}
		}
		if m, d := nea.Register(uint8(i)); m != o.mulAlpha[i] || d != o.divAlp[i] {
			t.Fatalf("MULalpha, DIValpha of %02x: %08x, %08x; want %08x, %08x", i, m, d, o.mulAlpha[i], o.divAlp[i])
		}
	}
}

// reversed are the key words as the standard numbers them: K3 comes first in the key.
func reversed(key [16]byte) [4]uint32 {
	k := word4(key[:])
	return [4]uint32{k[3], k[2], k[1], k[0]}
}

// FuzzSNOW3G holds 128-NEA1 and 128-NIA1 against the oracle, the message in one part and cut.
func FuzzSNOW3G(f *testing.F) {
	o := newOracle()
	for n := range 40 {
		f.Add(bytes.Repeat([]byte{byte(n)}, 16), uint32(n)<<27, uint8(n), uint8(n), bytes.Repeat([]byte{byte(3 * n)}, n), uint8(n/2), uint8(n))
	}
	f.Fuzz(func(t *testing.T, k []byte, count uint32, bearer, direction uint8, message []byte, cut1, cut2 uint8) {
		var key [16]byte
		copy(key[:], k)
		bearer, direction = bearer&0x1f, direction&1
		got := make([]byte, len(message))
		newCipher(t, nea.NEA1, key[:]).XORKeyStream(got, message, count, bearer, direction)
		if want := o.uea2(reversed(key), count, bearer, direction, message); !bytes.Equal(got, want) {
			t.Errorf("NEA1: %x, want %x", got, want)
		}
		m := newMAC(t, nea.NIA1, key[:])
		want := o.uia2(reversed(key), count, uint32(bearer)<<27, direction, message)
		if got := m.Sum(count, bearer, direction, message); got != want {
			t.Errorf("NIA1: %x, want %x", got, want)
		}
		first := min(int(cut1), len(message))
		second := min(first+int(cut2), len(message))
		if got := m.Sum(count, bearer, direction, message[:first], nil, message[first:second], message[second:]); got != want {
			t.Errorf("NIA1 cut at %d and %d: %x, want %x", first, second, got, want)
		}
	})
}
