package nea

import "encoding/binary"

// Keystream is n words of SNOW 3G; key and iv begin with K0 and IV0, as the published sets do.
func Keystream(key, iv [4]uint32, n int) []byte {
	var g generator
	g.start(&key, &iv)
	var z []byte
	for range n {
		z = binary.BigEndian.AppendUint32(z, g.next())
	}
	return z
}

// UIA2 is what 128-NIA1 is made from: any FRESH, any number of bits.
func UIA2(key [16]byte, count, fresh uint32, direction uint8, bits int, message []byte) [4]byte {
	return (&uia2{words(key)}).sum(count, fresh, direction, uint64(bits), [][]byte{message})
}

// Substitute is S1 of one word and S2 of another.
func Substitute(r1, r2 uint32) (s1, s2 uint32) { return substitute(r1, r2) }

// Register is MULalpha and DIValpha of an octet.
func Register(c uint8) (mul, div uint32) {
	return combine(uint32(c), &mulAlpha), combine(uint32(c), &divAlpha)
}
