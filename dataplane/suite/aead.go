//go:build !pc5null

package suite

import (
	"crypto/aes"
	"crypto/cipher"

	"golang.org/x/crypto/chacha20poly1305"

	"pc5d/dataplane/suite/gcm"
)

// Null tells that this build protects nothing.
const Null = false

func newAEAD(id ID, mode Mode, key []byte) (cipher.AEAD, error) {
	if id == ChaCha20Poly1305 {
		return chacha20poly1305.New(key)
	}
	if mode == AEAD && gcm.Supported() { // GMAC alone is the standard library's
		return gcm.New(key)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
