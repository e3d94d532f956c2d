package aesctr

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
)

const (
	// PrefixLen is the length of what comes before the number of a block in its counter block.
	PrefixLen = 12

	before = 2 * aes.BlockSize // what GCM does not give
	tag    = 16
	// shortest is the length from which on AES-GCM pays.
	shortest = 160
)

// Message is what one goroutine works with. It lives with the caller, so that no message allocates it.
type Message struct {
	// Counter is the counter block: the prefix of this message, and 32 bits that are written here.
	Counter       [aes.BlockSize]byte
	stream, saved [aes.BlockSize]byte
}

// Cipher is AES under one key. It may serve several goroutines at the same time.
type Cipher struct {
	block cipher.Block
	many  cipher.AEAD
}

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
	return &Cipher{block, many}, nil
}

// XORKeyStream ciphers or deciphers src, shorter than 2^32 blocks, into dst, which is as long at least, and is the same
// memory or does not overlap. Block i of the key stream is E(prefix || i). A prefix must not come twice under one key.
func (c *Cipher) XORKeyStream(dst, src []byte, m *Message) {
	dst = dst[:len(src)]
	if len(src) < shortest {
		c.each(dst, src, m, 0)
		return
	}
	end := len(src)&^(aes.BlockSize-1) - aes.BlockSize
	c.each(dst[:before], src[:before], m, 0)
	copy(m.saved[:], src[end:]) // the tag is written there
	c.many.Seal(dst[before:before:end+tag], m.Counter[:PrefixLen], src[before:end], nil)
	copy(dst[end+tag:], src[end+tag:])
	copy(dst[end:], m.saved[:])
	c.each(dst[end:], dst[end:], m, end/aes.BlockSize)
}

// each takes block by block, from one on.
func (c *Cipher) each(dst, src []byte, m *Message, block int) {
	for at := 0; at < len(src); at += aes.BlockSize {
		binary.BigEndian.PutUint32(m.Counter[PrefixLen:], uint32(block+at/aes.BlockSize))
		c.block.Encrypt(m.stream[:], m.Counter[:])
		subtle.XORBytes(dst[at:], src[at:], m.stream[:])
	}
}

// Wipe forgets the key; the standard library has no way to overwrite its round keys.
func (c *Cipher) Wipe() { *c = Cipher{} }

// String keeps the key out of logs.
func (c *Cipher) String() string { return "[redacted]" }

// GoString keeps the key out of logs.
func (c *Cipher) GoString() string { return "[redacted]" }
