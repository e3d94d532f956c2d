package nea

import (
	"crypto/subtle"
	"encoding/binary"
)

// snow3g is 128-NEA1, which is UEA2: the keystream of SNOW 3G over the message (TS 33.501,
// D.2.1.2; TS 35.215, 3).
type snow3g struct{ key [4]uint32 }

func (c *snow3g) XORKeyStream(dst, src []byte, count uint32, bearer, direction uint8) {
	dst = dst[:len(src)]
	second := uint32(bearer)<<27 | uint32(direction)<<26
	var g generator
	g.start(&c.key, &[4]uint32{second, count, second, count})
	for len(src) >= 4 {
		binary.BigEndian.PutUint32(dst, binary.BigEndian.Uint32(src)^g.next())
		dst, src = dst[4:], src[4:]
	}
	if len(src) > 0 {
		var last [4]byte
		binary.BigEndian.PutUint32(last[:], g.next())
		subtle.XORBytes(dst, src, last[:])
	}
	g.wipe()
}

// words are the key words K0 to K3; the first octets of the key are K3 (TS 35.215, 3.4).
func words(key [16]byte) (k [4]uint32) {
	for i := range k {
		k[3-i] = binary.BigEndian.Uint32(key[4*i:])
	}
	return k
}

// generator is SNOW 3G (TS 35.216). Who has its state can run it backwards to the key.
//
//	s0 s1 s2 .. s5 ........ s11 ... s15 <--- MULalpha(s0), s2, DIValpha(s11) [, F while it starts]
//	|           |                    |
//	|           v                    v
//	|    R3 --> + ----> R1 -S1-> R2 -S2-> R3        F = (s15 + R1) xor R2
//	+---------------------> keystream word = F xor s0
type generator struct {
	s          [16]uint32 // a ring: s0 is s[at]
	at         uint
	r1, r2, r3 uint32
}

// start runs the 32 clocks that mix key and IV, and the one whose output is not used
// (TS 35.216, 4.1 and 4.2).
func (g *generator) start(k, iv *[4]uint32) {
	for i, word := range k {
		g.s[i], g.s[i+4], g.s[i+8], g.s[i+12] = ^word, word, ^word, word
	}
	g.s[15] ^= iv[0]
	g.s[12] ^= iv[1]
	g.s[10] ^= iv[2]
	g.s[9] ^= iv[3]
	for range 32 {
		g.clockRegister(g.clockMachine())
	}
	g.clockMachine()
	g.clockRegister(0)
}

// next gives the next word of keystream.
func (g *generator) next() uint32 {
	z := g.clockMachine() ^ g.s[g.at&15]
	g.clockRegister(0)
	return z
}

// clockMachine clocks the finite state machine and returns F (TS 35.216, 3.4).
func (g *generator) clockMachine() uint32 {
	f := (g.s[(g.at+15)&15] + g.r1) ^ g.r2
	r := g.r2 + (g.r3 ^ g.s[(g.at+5)&15])
	g.r2, g.r3 = substitute(g.r1, g.r2)
	g.r1 = r
	return f
}

// clockRegister clocks the shift register; f is 0 once it has started (TS 35.216, 3.3).
func (g *generator) clockRegister(f uint32) {
	s0, s2, s11 := g.s[g.at&15], g.s[(g.at+2)&15], g.s[(g.at+11)&15]
	g.s[g.at&15] = s0<<8 ^ combine(s0>>24, &mulAlpha) ^ s2 ^ s11>>8 ^ combine(s11, &divAlpha) ^ f
	g.at++
}

// wipe ends a generator. Not inlined, or the compiler may leave out what nobody reads any more.
//
//go:noinline
func (g *generator) wipe() { *g = generator{} }
