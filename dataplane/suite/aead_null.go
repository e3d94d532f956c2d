//go:build pc5null

package suite

import (
	"crypto/cipher"
	"errors"
)

// Null tells that this build protects nothing. It measures what everything but cryptography costs, is made
// by the tag pc5null alone, and understands no other build: each refuses the other's tags.
const Null = true

var errNullTag = errors.New("the tag is not zero")

// null is every AEAD of this build: it moves the text and tags it with zeros.
type null struct{}

func newAEAD(ID, Mode, []byte) (cipher.AEAD, error) { return null{}, nil }

func (null) NonceSize() int { return SaltLen }
func (null) Overhead() int  { return TagLen }

func (null) Seal(dst, _, text, _ []byte) []byte {
	var zeros [TagLen]byte
	return append(append(dst, text...), zeros[:]...)
}

func (null) Open(dst, _, sealed, _ []byte) ([]byte, error) {
	n := len(sealed) - TagLen
	if [TagLen]byte(sealed[n:]) != [TagLen]byte{} {
		return nil, errNullTag
	}
	return append(dst, sealed[:n]...), nil
}
