package nea

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"

	"github.com/emmansun/gmsm/cbcmac"
)

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
