// Package mac is HMAC-SHA-256 (RFC 2104) whose memory is used again: what a stranger's datagram
// costs must not be memory (T30), and crypto/hmac makes a new object for each key.
//
//	SHA-256(key xor opad | SHA-256(key xor ipad | text))
//
// The hash is the standard library's. An HMAC may be used by one goroutine only; it keeps nothing
// of a key once Sum has returned.
package mac

import (
	"crypto/sha256"
	"hash"
)

const (
	// Len is the length of a sum.
	Len = sha256.Size
	// MaxKey is the length of the longest key.
	MaxKey = sha256.BlockSize

	inner, outer = 0x36, 0x5c
)

// HMAC computes sums, one after the other: Begin, then Write as often as needed, then Sum.
type HMAC struct {
	hash hash.Hash
	pad  [sha256.BlockSize]byte // the key, xor ipad
	sum  [Len]byte
}

// New makes one.
func New() *HMAC { return &HMAC{hash: sha256.New()} }

// Begin starts a sum under a key of at most MaxKey octets.
func (h *HMAC) Begin(key []byte) {
	if len(key) > MaxKey {
		panic("BUG: mac: a key of more than one block")
	}
	clear(h.pad[:])
	copy(h.pad[:], key)
	h.xor(inner)
	h.hash.Reset()
	h.hash.Write(h.pad[:])
}

// Write appends text; it does not keep b.
func (h *HMAC) Write(b []byte) { h.hash.Write(b) }

// Sum ends what Begin started.
func (h *HMAC) Sum() [Len]byte {
	h.hash.Sum(h.sum[:0])
	h.xor(inner ^ outer)
	h.hash.Reset()
	h.hash.Write(h.pad[:])
	h.hash.Write(h.sum[:])
	h.hash.Sum(h.sum[:0])
	result := h.sum
	clear(h.pad[:])
	clear(h.sum[:])
	h.hash.Reset()
	return result
}

func (h *HMAC) xor(octet byte) {
	for i := range h.pad {
		h.pad[i] ^= octet
	}
}
