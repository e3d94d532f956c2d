package aesctr

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"sync/atomic"
)

const (
	// PrefixLen is the length of what comes before the number of a block in its counter block.
	PrefixLen = 12

	before = 2 * aes.BlockSize // what GCM does not give
	tag    = 16
	// shortest is the length from which on AES-GCM pays.
	shortest = 160
)

// Cipher is AES under one key. It may serve several goroutines at the same time.
type Cipher struct {
	block cipher.Block
	many  cipher.AEAD
	spare atomic.Pointer[message] // for the next one that works; nil: others do
}

// message is what one goroutine works with, on the heap as all that the library is told of.
type message struct{ counter, stream, saved [aes.BlockSize]byte }

// New takes an AES key, which it does not keep.
func New(key []byte) (*Cipher, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	many, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Cipher{block: block, many: many}, nil
}

// XORKeyStream ciphers or deciphers src, shorter than 2^32 blocks, into dst, which is as long at least, and is the same
// memory or does not overlap. Block i of the key stream is E(prefix || i). A prefix must not come twice under one key.
func (c *Cipher) XORKeyStream(dst, src []byte, prefix *[PrefixLen]byte) {
	m := c.spare.Swap(nil)
	if m == nil {
		m = new(message)
	}
	copy(m.counter[:], prefix[:])
	if dst = dst[:len(src)]; len(src) < shortest {
		c.each(dst, src, m, 0)
	} else {
		c.most(dst, src, m)
	}
	c.spare.Store(m)
}

// most takes all blocks but a few at once.
func (c *Cipher) most(dst, src []byte, m *message) {
	end := len(src)&^(aes.BlockSize-1) - aes.BlockSize
	c.each(dst[:before], src[:before], m, 0)
	copy(m.saved[:], src[end:]) // the tag is written there
	c.many.Seal(dst[before:before:end+tag], m.counter[:PrefixLen], src[before:end], nil)
	copy(dst[end+tag:], src[end+tag:])
	copy(dst[end:], m.saved[:])
	c.each(dst[end:], dst[end:], m, end/aes.BlockSize)
}

// each takes block by block, from one on.
func (c *Cipher) each(dst, src []byte, m *message, block int) {
	for at := 0; at < len(src); at += aes.BlockSize {
		binary.BigEndian.PutUint32(m.counter[PrefixLen:], uint32(block+at/aes.BlockSize))
		c.block.Encrypt(m.stream[:], m.counter[:])
		subtle.XORBytes(dst[at:], src[at:], m.stream[:])
	}
}

// Wipe forgets the key; the standard library has no way to overwrite its round keys.
func (c *Cipher) Wipe() {
	c.block, c.many = nil, nil
	c.spare.Store(nil)
}

// String keeps the key out of logs.
func (c *Cipher) String() string { return "[redacted]" }

// GoString keeps the key out of logs.
func (c *Cipher) GoString() string { return "[redacted]" }
