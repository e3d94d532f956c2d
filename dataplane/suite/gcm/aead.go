package gcm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/fips140"
	"crypto/subtle"
	"errors"
	"slices"

	"golang.org/x/sys/cpu"
)

const (
	nonceLen = 12
	tagLen   = 16
	step     = 128 // content is a multiple of this
	maxLen   = 1408
)

var errOpen = errors.New("gcm: the tag does not fit")

// Supported tells whether this processor and this system have what New needs, and nobody asked for the
// standard library's validated module.
func Supported() bool {
	x := &cpu.X86
	return assembled && x.HasAVX512F && x.HasAVX512VL && x.HasAVX512BW && x.HasAVX512VAES && x.HasAVX512VPCLMULQDQ &&
		x.HasAES && !fips140.Enabled()
}

// AEAD is AES-GCM under one key.
type AEAD struct {
	keys     *keys
	standard cipher.AEAD // for all other lengths
}

// New makes the AEAD of an AES key of 16 or 32 octets, which it does not keep. It needs Supported.
func New(key []byte) (*AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	standard, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	var h [aes.BlockSize]byte
	block.Encrypt(h[:], h[:])
	a := &AEAD{keys: new(keys), standard: standard}
	a.keys.expand(key)
	a.keys.raise(h)
	clear(h[:])
	return a, nil
}

// NonceSize is 12.
func (a *AEAD) NonceSize() int { return nonceLen }

// Overhead is 16.
func (a *AEAD) Overhead() int { return tagLen }

// Seal appends the sealed text and its tag to dst. The room for it does not overlap text, or starts where text does.
func (a *AEAD) Seal(dst, nonce, text, aad []byte) []byte {
	if !usual(nonce, text, aad) {
		return a.standard.Seal(dst, nonce, text, aad)
	}
	at, n := len(dst), len(text)
	dst = slices.Grow(dst, n+tagLen)[:at+n+tagLen]
	out := dst[at:]
	seal(a.keys, (*[nonceLen]byte)(nonce), (*[tagLen]byte)(aad), (*[tagLen]byte)(out[n:]), &out[0], &text[0], n)
	return dst
}

// Open appends the text of what Seal made to dst. The room for it does not overlap sealed, or starts where sealed
// does. After an error nothing is left there.
func (a *AEAD) Open(dst, nonce, sealed, aad []byte) ([]byte, error) {
	at, n := len(dst), len(sealed)-tagLen
	if n < 0 || !usual(nonce, sealed[:n], aad) {
		return a.standard.Open(dst, nonce, sealed, aad)
	}
	dst = slices.Grow(dst, n)[:at+n]
	out := dst[at:]
	var want [tagLen]byte
	open(a.keys, (*[nonceLen]byte)(nonce), (*[tagLen]byte)(aad), &want, &out[0], &sealed[0], n)
	if subtle.ConstantTimeCompare(want[:], sealed[n:]) != 1 {
		clear(out)
		return nil, errOpen
	}
	return dst, nil
}

// Wipe overwrites round keys and powers; the standard library's have no way to it, and are forgotten.
func (a *AEAD) Wipe() {
	*a.keys = keys{}
	a.standard = nil
}

// String keeps the key out of logs.
func (a *AEAD) String() string { return "[redacted]" }

// GoString keeps the key out of logs.
func (a *AEAD) GoString() string { return "[redacted]" }

// usual tells whether the assembly takes the record.
func usual(nonce, text, aad []byte) bool {
	return len(nonce) == nonceLen && len(aad) == tagLen && len(text)%step == 0 && len(text)-1 < maxLen && len(text) > 0
}
