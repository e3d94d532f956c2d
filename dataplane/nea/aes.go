package nea

import (
	"crypto/aes"
	"encoding/binary"

	"github.com/emmansun/gmsm/cbcmac"

	"pc5d/dataplane/aesctr"
)

// inputs are the first eight octets that both AES algorithms start from: COUNT, BEARER,
// DIRECTION and 26 zero bits (TS 33.501, D.2.1.3 and D.3.1.3).
func inputs(b *[8]byte, count uint32, bearer, direction uint8) {
	binary.BigEndian.PutUint32(b[:4], count)
	b[4] = bearer<<3 | direction<<2
}

// aesCTR is 128-NEA2. Its 64-bit number of the block stays below 2^32.
type aesCTR struct{ cipher *aesctr.Cipher }

func newCTR(key [16]byte) (Cipher, error) {
	c, err := aesctr.New(key[:])
	if err != nil {
		return nil, err
	}
	return aesCTR{c}, nil
}

func (c aesCTR) XORKeyStream(dst, src []byte, count uint32, bearer, direction uint8) {
	var prefix [aesctr.PrefixLen]byte
	inputs((*[8]byte)(prefix[:8]), count, bearer, direction)
	c.cipher.XORKeyStream(dst, src, &prefix)
}

// aesCMAC is 128-NIA2.
type aesCMAC struct {
	cmac       cbcmac.StreamingMAC
	buf        []byte
	zeros, tag [aes.BlockSize]byte
}

// newCMAC keeps subkeys for all messages.
func newCMAC(key [16]byte) (MAC, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return &aesCMAC{cmac: cbcmac.NewCMAC(block, aes.BlockSize)}, nil
}

// Sum works around gmsm v0.44.0, which mixes what its buffer held before into a last block that is not full. A message
// written at once finds there what the message before left, so zeros are written over it; they are not ciphered, as
// they wait for more.
func (m *aesCMAC) Sum(count uint32, bearer, direction uint8, parts ...[]byte) [4]byte {
	m.cmac.Reset()
	m.cmac.Write(m.zeros[:])
	m.cmac.Reset()
	m.buf = append(m.buf[:0], make([]byte, 8)...)
	inputs((*[8]byte)(m.buf), count, bearer, direction)
	for _, p := range parts {
		m.buf = append(m.buf, p...)
	}
	m.cmac.Write(m.buf)
	return [4]byte(m.cmac.Sum(m.tag[:0]))
}
