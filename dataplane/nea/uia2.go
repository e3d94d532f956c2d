package nea

import "encoding/binary"

// uia2 is 128-NIA1, which is UIA2 with FRESH = BEARER || 0^27 (TS 33.501, D.3.1.2).
type uia2 struct{ key [4]uint32 }

func (m *uia2) Sum(count uint32, bearer, direction uint8, parts ...[]byte) [4]byte {
	var length uint64
	for _, p := range parts {
		length += 8 * uint64(len(p))
	}
	return m.sum(count, uint32(bearer)<<27, direction, length, parts)
}

// sum is UIA2 (TS 35.215, 4). length counts bits; those of the last octet that are not counted
// have to be 0.
func (m *uia2) sum(count, fresh uint32, direction uint8, length uint64, parts [][]byte) [4]byte {
	var g generator
	g.start(&m.key, &[4]uint32{fresh ^ uint32(direction)<<15, count ^ uint32(direction)<<31, fresh, count})
	p := uint64(g.next())<<32 | uint64(g.next())
	q := uint64(g.next())<<32 | uint64(g.next())
	last := g.next()
	g.wipe()

	e := evaluation{multiples: multiplesOf(p)}
	for _, part := range parts {
		e.write(part)
	}
	e.pad()
	e.value ^= length
	e.multiples = multiplesOf(q)
	e.multiply()
	var mac [4]byte
	binary.BigEndian.PutUint32(mac[:], uint32(e.value>>32)^last)
	e.wipe()
	return mac
}

// evaluation is the polynomial whose coefficients are the blocks of a message, evaluated at a
// secret point of the field of 2^64 elements, mod x^64 + x^4 + x^3 + x + 1.
type evaluation struct {
	multiples [64]uint64 // of the point: times x^0 to x^63
	value     uint64
	block     [8]byte
	filled    int
}

func multiplesOf(p uint64) (m [64]uint64) {
	for i := range m {
		m[i] = p
		p = p<<1 ^ -(p>>63)&0x1b
	}
	return m
}

// multiply multiplies the value by the point, without a branch or an index that depends on it.
func (e *evaluation) multiply() {
	var product uint64
	for i, m := range &e.multiples {
		product ^= -(e.value >> i & 1) & m
	}
	e.value = product
}

func (e *evaluation) write(b []byte) {
	if e.filled > 0 {
		n := copy(e.block[e.filled:], b)
		e.filled += n
		b = b[n:]
		if e.filled < len(e.block) {
			return
		}
		e.take(e.block[:])
		e.filled = 0
	}
	for ; len(b) >= len(e.block); b = b[len(e.block):] {
		e.take(b)
	}
	e.filled = copy(e.block[:], b)
}

// pad fills the last block with zeros, if there is one.
func (e *evaluation) pad() {
	if e.filled == 0 {
		return
	}
	clear(e.block[e.filled:])
	e.take(e.block[:])
}

func (e *evaluation) take(block []byte) {
	e.value ^= binary.BigEndian.Uint64(block)
	e.multiply()
}

// wipe ends an evaluation: with its point and one MAC-I others can be forged.
//
//go:noinline
func (e *evaluation) wipe() { *e = evaluation{} }
