package nea

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/emmansun/gmsm/cbcmac"
)

// ErrNotBuilt says that an algorithm is known but not built in.
var ErrNotBuilt = errors.New("algorithm is not built in")

// Cipher is a ciphering algorithm under one key.
type Cipher interface {
	// XORKeyStream ciphers or deciphers src into dst, which may be the same slice.
	XORKeyStream(dst, src []byte, count uint32, bearer, direction uint8)
}

// MAC is an integrity algorithm under one key.
type MAC interface {
	// Sum returns the MAC-I of the message that parts make together.
	Sum(count uint32, bearer, direction uint8, parts ...[]byte) [4]byte
}

// NewCipher makes a ciphering algorithm; NEA0 leaves everything as it is.
func NewCipher(alg Ciphering, key [16]byte) (Cipher, error) {
	switch alg {
	case NEA0:
		return null{}, nil
	case NEA2:
		block, err := aes.NewCipher(key[:])
		if err != nil {
			return nil, err
		}
		return aesCTR{block}, nil
	}
	return nil, fmt.Errorf("128-%s: %w", alg, ErrNotBuilt)
}

// NewMAC makes an integrity algorithm. There is no null integrity.
func NewMAC(alg Integrity, key [16]byte) (MAC, error) {
	if alg != NIA2 {
		return nil, fmt.Errorf("128-%s: %w", alg, ErrNotBuilt)
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return &aesCMAC{block: block}, nil
}

type null struct{}

func (null) XORKeyStream(dst, src []byte, _ uint32, _, _ uint8) { copy(dst, src) }

// inputs are the first eight octets that both AES algorithms start from: COUNT, BEARER,
// DIRECTION and 26 zero bits (TS 33.501, D.2.1.3 and D.3.1.3).
func inputs(b *[8]byte, count uint32, bearer, direction uint8) {
	binary.BigEndian.PutUint32(b[:4], count)
	b[4] = bearer<<3 | direction<<2
}

// aesCTR is 128-NEA2.
type aesCTR struct{ block cipher.Block }

func (c aesCTR) XORKeyStream(dst, src []byte, count uint32, bearer, direction uint8) {
	var iv [16]byte
	inputs((*[8]byte)(iv[:8]), count, bearer, direction)
	cipher.NewCTR(c.block, iv[:]).XORKeyStream(dst, src)
}

// aesCMAC is 128-NIA2.
type aesCMAC struct {
	block cipher.Block
	buf   []byte
}

// Sum takes a new CMAC for each message: one of gmsm v0.44.0 that was used before mixes octets of
// the last message into one that does not fill its last block.
func (m *aesCMAC) Sum(count uint32, bearer, direction uint8, parts ...[]byte) [4]byte {
	var head [8]byte
	inputs(&head, count, bearer, direction)
	m.buf = append(m.buf[:0], head[:]...)
	for _, p := range parts {
		m.buf = append(m.buf, p...)
	}
	return [4]byte(cbcmac.NewCMAC(m.block, aes.BlockSize).MAC(m.buf))
}
