package suite

import (
	"errors"

	"golang.org/x/crypto/chacha20poly1305"

	"pc5d/dataplane/aesctr"
)

var errMode = errors.New("no such mode")

// newMethod makes what a suite does in a mode; the length of key is the suite's.
func newMethod(id ID, mode Mode, key []byte) (method, error) {
	switch mode {
	case AEAD, IntegrityOnly:
		aead, err := newAEAD(id, mode, key)
		if err != nil {
			return nil, err
		}
		if mode == IntegrityOnly {
			return &tagged{aead}, nil
		}
		return &both{aead}, nil
	case CipheringOnly:
		return newStream(id, key)
	case Unprotected:
		return unprotected{}, nil
	}
	return nil, errMode
}

func newStream(id ID, key []byte) (method, error) {
	if id == ChaCha20Poly1305 {
		return &chaCha20{[chacha20poly1305.KeySize]byte(key)}, nil
	}
	c, err := aesctr.New(key)
	if err != nil {
		return nil, err
	}
	return &aesCTR{c}, nil
}
