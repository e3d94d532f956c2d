package suite

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"

	"golang.org/x/crypto/chacha20"
)

// aesCTR is AES in counter mode from the counter block nonce || 0^32 on. It takes block by block
// what the cipher gives: the standard library's CTR allocates a stream for each record.
type aesCTR struct{ block cipher.Block }

func (c *aesCTR) seal(it *Item) {
	it.Dst = it.Dst[:len(it.Text)]
	for at := 0; at < len(it.Text); at += aes.BlockSize {
		binary.BigEndian.PutUint32(it.counter[SaltLen:], uint32(at/aes.BlockSize))
		c.block.Encrypt(it.stream[:], it.counter[:])
		subtle.XORBytes(it.Dst[at:], it.Text[at:], it.stream[:])
	}
}

func (c *aesCTR) open(it *Item) bool {
	c.seal(it)
	return true
}

func (c *aesCTR) wipe() { c.block = nil }

// chaCha20 is its key stream from block 0 on.
type chaCha20 struct{ key [chacha20.KeySize]byte }

func (c *chaCha20) seal(it *Item) {
	it.Dst = it.Dst[:len(it.Text)]
	s, err := chacha20.NewUnauthenticatedCipher(c.key[:], it.nonce())
	if err != nil { // only wrong lengths fail
		panic("BUG: suite: " + err.Error())
	}
	s.XORKeyStream(it.Dst, it.Text)
}

func (c *chaCha20) open(it *Item) bool {
	c.seal(it)
	return true
}

func (c *chaCha20) wipe() { clear(c.key[:]) }

// unprotected moves the text.
type unprotected struct{}

func (unprotected) seal(it *Item) { it.Dst = append(it.Dst, it.Text...) }

func (unprotected) open(it *Item) bool {
	it.Dst = append(it.Dst, it.Text...)
	return true
}

func (unprotected) wipe() {}
