package nea

import "github.com/emmansun/gmsm/zuc"

// zucCipher is 128-NEA3. The library's streams are made for one COUNT, so each message takes a new
// one and none meets the leftovers of another. The state of a stream is left to the collector.
type zucCipher struct{ key [16]byte }

func (c *zucCipher) XORKeyStream(dst, src []byte, count uint32, bearer, direction uint8) {
	stream, err := zuc.NewEEACipher(c.key[:], count, uint32(bearer), uint32(direction))
	if err != nil {
		panic("BUG: nea: " + err.Error()) // only a key of another length
	}
	stream.XORKeyStream(dst, src)
}

// zucMAC is 128-NIA3.
type zucMAC struct{ key [16]byte }

func (m *zucMAC) Sum(count uint32, bearer, direction uint8, parts ...[]byte) [4]byte {
	hash, err := zuc.NewEIAHash(m.key[:], count, uint32(bearer), uint32(direction))
	if err != nil {
		panic("BUG: nea: " + err.Error()) // only a key of another length
	}
	for _, p := range parts {
		hash.Write(p)
	}
	return [4]byte(hash.Sum(nil))
}
