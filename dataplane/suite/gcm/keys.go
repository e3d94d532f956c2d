package gcm

import (
	"crypto/aes"
	"encoding/binary"
	"math/bits"
)

const (
	maxRounds = 14                       // of AES-256
	maxPower  = maxLen/aes.BlockSize + 2 // content, AAD before it, lengths behind it
)

// keys is what the assembly reads. It has no pointers, and so starts at a multiple of 64: no load of four powers
// crosses a cache line.
type keys struct {
	// round has the round keys (FIPS 197, 5.2): the last one at maxRounds for both lengths of key, the four before
	// it unused for AES-128.
	round  [maxRounds + 1][aes.BlockSize]byte
	power  [maxPower][aes.BlockSize]byte // H^maxPower to H, as multiply wants them
	rounds uint64                        // 10 or 14
}

// expand makes the round keys. (FIPS 197, 5.2)
func (k *keys) expand(key []byte) {
	nk := len(key) / 4
	k.rounds = uint64(nk + 6)
	var words [4 * (maxRounds + 1)]uint32
	for i := range nk {
		words[i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	rcon := uint32(1)
	for i := nk; i < 4*int(k.rounds+1); i++ {
		w := words[i-1]
		switch {
		case i%nk == 0:
			w = bits.RotateLeft32(subWord(w), -8) ^ rcon
			rcon = rcon<<1 ^ rcon>>7*0x11b
		case nk == 8 && i%nk == 4:
			w = subWord(w)
		}
		words[i] = words[i-nk] ^ w
	}
	for i := range int(k.rounds + 1) {
		round := &k.round[i]
		if i == int(k.rounds) {
			round = &k.round[maxRounds]
		}
		for j, w := range words[4*i : 4*i+4] {
			binary.LittleEndian.PutUint32(round[4*j:], w)
		}
	}
	clear(words[:])
}

// raise makes the powers of H. GCM writes polynomials with their lowest coefficient in the first bit; with the octets of
// a block turned round, the product of two such numbers is that of the polynomials, but for one place. Taking H·x
// for H (modulo x^128 + x^7 + x^2 + x + 1, turned round: the constant below) puts that right, once and for all.
func (k *keys) raise(h [aes.BlockSize]byte) {
	high, low := binary.BigEndian.Uint64(h[:]), binary.BigEndian.Uint64(h[8:])
	carry := -(high >> 63) // all ones or none
	high = high<<1 | low>>63
	low <<= 1
	first := &k.power[maxPower-1]
	binary.LittleEndian.PutUint64(first[:], low^carry&1)
	binary.LittleEndian.PutUint64(first[8:], high^carry&(0xc2<<56))
	for p := 2; p <= maxPower; p++ { // from its halves: one need not wait for the one before
		multiply(&k.power[maxPower-p], &k.power[maxPower-p/2], &k.power[maxPower-(p-p/2)])
	}
}
