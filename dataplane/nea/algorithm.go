package nea

import (
	"errors"
	"fmt"
)

// ErrNotBuilt says that an algorithm is known but not built in.
var ErrNotBuilt = errors.New("algorithm is not built in")

// Cipher is a ciphering algorithm under one key. Several goroutines may use it.
type Cipher interface {
	// XORKeyStream ciphers or deciphers src into dst, which may be the same slice.
	XORKeyStream(dst, src []byte, count uint32, bearer, direction uint8)
}

// MAC is an integrity algorithm under one key, for one goroutine at a time.
type MAC interface {
	// Sum returns the MAC-I of the message that parts make together.
	Sum(count uint32, bearer, direction uint8, parts ...[]byte) [4]byte
}

// NewCipher makes a ciphering algorithm; NEA0 leaves everything as it is.
func NewCipher(alg Ciphering, key [16]byte) (Cipher, error) {
	switch alg {
	case NEA0:
		return null{}, nil
	case NEA1:
		return &snow3g{words(key)}, nil
	case NEA2:
		return newCTR(key)
	case NEA3:
		return &zucCipher{key}, nil
	}
	return nil, fmt.Errorf("128-%s: %w", alg, ErrNotBuilt)
}

// NewMAC makes an integrity algorithm. There is no null integrity.
func NewMAC(alg Integrity, key [16]byte) (MAC, error) {
	switch alg {
	case NIA1:
		return &uia2{words(key)}, nil
	case NIA2:
		return newCMAC(key)
	case NIA3:
		return &zucMAC{key}, nil
	}
	return nil, fmt.Errorf("128-%s: %w", alg, ErrNotBuilt)
}

type null struct{}

func (null) XORKeyStream(dst, src []byte, _ uint32, _, _ uint8) { copy(dst, src) }
