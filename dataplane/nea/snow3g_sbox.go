package nea

import "math/bits"

// The substitutions of SNOW 3G are computed, not looked up: where a table is read at a place that
// depends on the key, whoever shares the processor's caches can learn the place. Nothing in here,
// in the generator and in UIA2 branches on, or indexes by, key, state or message. It costs 0.1 us
// a word of keystream, and 33 of them to start: some ten microseconds for a signalling message,
// where an establishment takes hundreds. User data in records has nothing to do with it. The tables
// live on in the tests, as the oracle.
//
// Each S-box is a power map in a field of 256 elements, then a linear map:
//
//	S1: Rijndael's,  x^254                         mod x^8 + x^4 + x^3 + x + 1
//	S2: D49(x) + 25, D49 = D7(D7(x)), where        mod x^8 + x^6 + x^5 + x^3 + 1
//	    D7(x) = x^7 + x^5 + x = x (x^3 + x^2 + 1)^2   (Dickson polynomials)
//
// Both need four products, so that they share them: eight octets in one word, the four of S1 in
// its low half and the four of S2 in its high half.
const (
	octets  = 0x0101010101010101 // the lowest bit of each octet
	lowHalf = 0x00000000ffffffff
	inS2    = 0x0101010100000000 // 1 in the field of S2

	reduction = 0x696969691b1b1b1b // x^8 in both fields
	constants = 0x2525252563636363 // what the S-boxes add in the end
)

// Linear maps, as the images of the eight bits of an octet, from the lowest; S2 on the left.
var (
	squares    = [8]uint64{0x0101010101010101, 0x0404040404040404, 0x1010101010101010, 0x4040404040404040, 0x696969691b1b1b1b, 0xcdcdcdcd6c6c6c6c, 0x8f8f8f8fabababab, 0xeeeeeeee9a9a9a9a}
	squareOr4  = [8]uint64{0x0101010101010101, 0x0404040410101010, 0x101010101b1b1b1b, 0x40404040abababab, 0x696969695e5e5e5e, 0xcdcdcdcd97979797, 0x8f8f8f8fb3b3b3b3, 0xeeeeeeeec5c5c5c5}
	squareOr16 = [8]uint64{0x0101010101010101, 0x040404045e5e5e5e, 0x10101010e4e4e4e4, 0x40404040e8e8e8e8, 0x696969694d4d4d4d, 0xcdcdcdcd91919191, 0x8f8f8f8f1d1d1d1d, 0xeeeeeeee6c6c6c6c}
	squareOr1  = [8]uint64{0x0101010101010101, 0x0404040402020202, 0x1010101004040404, 0x4040404008080808, 0x6969696910101010, 0xcdcdcdcd20202020, 0x8f8f8f8f40404040, 0xeeeeeeee80808080}
	affine     = [8]uint64{0x010101011f1f1f1f, 0x020202023e3e3e3e, 0x040404047c7c7c7c, 0x08080808f8f8f8f8, 0x10101010f1f1f1f1, 0x20202020e3e3e3e3, 0x40404040c7c7c7c7, 0x808080808f8f8f8f}
)

// MULalpha and DIValpha, which are linear too (TS 35.216, 3.4.2 and 3.4.3).
var (
	mulAlpha = [8]uint32{0xe19fcf13, 0x6b973726, 0xd6876e4c, 0x05a7dc98, 0x0ae71199, 0x1467229b, 0x28ce449f, 0x50358897}
	divAlpha = [8]uint32{0x180f40cd, 0x301e8033, 0x603ca966, 0xc078fbcc, 0x29f05f31, 0x5249be62, 0xa492d5c4, 0xe18d0321}
)

// substitute is S1 of r1 and S2 of r2 (TS 35.216, 3.3.1 and 3.3.2). Comments: S1 | S2.
func substitute(r1, r2 uint32) (s1, s2 uint32) {
	x := uint64(r2)<<32 | uint64(r1)
	x2 := linear(x, &squares)
	p := product(x2, x^inS2)          // x^3 | x^3 + x^2
	a := linear(p, &squareOr4) ^ inS2 // x^12 | (x^3 + x^2 + 1)^2
	y := product(a, halves(p, x))     // x^15 | y = D7(x)
	b := linear(y, &squareOr16)       // x^240 | y^2
	p = product(b, halves(a, y^inS2)) // x^252 | y^3 + y^2
	p = linear(p, &squareOr1) ^ inS2  // x^252 | (y^3 + y^2 + 1)^2
	p = product(p, halves(x2, y))     // x^254 | D7(y)
	p = linear(p, &affine) ^ constants
	d := double(p)
	return mix(uint32(p), uint32(d)), mix(uint32(p>>32), uint32(d>>32))
}

// mix is the matrix that both substitutions end with; d is s, doubled.
func mix(s, d uint32) uint32 {
	return d ^ bits.RotateLeft32(d^s, -8) ^ bits.RotateLeft32(s, 8) ^ bits.RotateLeft32(s, 16)
}

// halves takes the octets of S1 from one word and those of S2 from another.
func halves(s1, s2 uint64) uint64 { return s1&lowHalf | s2&^uint64(lowHalf) }

// spread fills each octet with its lowest bit.
func spread(x uint64) uint64 { return (x & octets) * 0xff }

// double multiplies each octet by x.
func double(a uint64) uint64 { return (a&^(octets<<7))<<1 ^ spread(a>>7)&reduction }

// product multiplies octet by octet.
func product(a, b uint64) uint64 {
	p := a & spread(b)
	a = double(a)
	p ^= a & spread(b>>1)
	a = double(a)
	p ^= a & spread(b>>2)
	a = double(a)
	p ^= a & spread(b>>3)
	a = double(a)
	p ^= a & spread(b>>4)
	a = double(a)
	p ^= a & spread(b>>5)
	a = double(a)
	p ^= a & spread(b>>6)
	a = double(a)
	return p ^ a&spread(b>>7)
}

// linear applies a linear map to each octet.
func linear(x uint64, images *[8]uint64) uint64 {
	return spread(x)&images[0] ^ spread(x>>1)&images[1] ^ spread(x>>2)&images[2] ^ spread(x>>3)&images[3] ^
		spread(x>>4)&images[4] ^ spread(x>>5)&images[5] ^ spread(x>>6)&images[6] ^ spread(x>>7)&images[7]
}

// combine is the sum of the images of the bits of c's lowest octet.
func combine(c uint32, images *[8]uint32) uint32 {
	return -(c&1)&images[0] ^ -(c>>1&1)&images[1] ^ -(c>>2&1)&images[2] ^ -(c>>3&1)&images[3] ^
		-(c>>4&1)&images[4] ^ -(c>>5&1)&images[5] ^ -(c>>6&1)&images[6] ^ -(c>>7&1)&images[7]
}
