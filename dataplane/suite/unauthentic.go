package suite

import (
	"golang.org/x/crypto/chacha20"

	"pc5d/dataplane/aesctr"
)

// aesCTR is AES in counter mode from the counter block nonce || 0^32 on.
type aesCTR struct{ cipher *aesctr.Cipher }

func (c *aesCTR) seal(it *Item) {
	it.Dst = it.Dst[:len(it.Text)]
	c.cipher.XORKeyStream(it.Dst, it.Text, &it.nonce)
}

func (c *aesCTR) open(it *Item) bool {
	c.seal(it)
	return true
}

func (c *aesCTR) wipe() { c.cipher.Wipe() }

// chaCha20 is its key stream from block 0 on.
type chaCha20 struct{ key [chacha20.KeySize]byte }

func (c *chaCha20) seal(it *Item) {
	it.Dst = it.Dst[:len(it.Text)]
	s, err := chacha20.NewUnauthenticatedCipher(c.key[:], it.nonce[:])
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
