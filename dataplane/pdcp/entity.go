package pdcp

import (
	"crypto/subtle"
	"encoding/binary"

	"pc5d/dataplane/nea"
)

// Ciphering tells whether a PDU is ciphered: the one that carries the security mode command is
// not (TS 38.323, 5.8).
type Ciphering uint8

const (
	Ciphered Ciphering = iota
	Clear
)

// limit is the first COUNT that is not used any more. Chosen: COUNT never wraps.
const limit = 1<<32 - 1<<16

// Config describes a bearer of a security context.
type Config struct {
	Bearer    uint8  // the bearer's LCID; its 5 low bits are BEARER
	Session   uint16 // K_NRP-sess ID to send under
	Direction uint8  // DIRECTION of this end's sending; receiving uses the other value
	Cipher    nea.Cipher
	MAC       nea.MAC
	Limit     uint32 // first COUNT that is refused; 0: the limit above
}

// Entity is one signalling bearer.
type Entity struct {
	cfg    Config
	txNext uint32
	last   uint32
	window window
}

// NewEntity starts a bearer with COUNT 0 in both directions.
func NewEntity(cfg Config) *Entity {
	if cfg.Limit == 0 {
		cfg.Limit = limit
	}
	cfg.Bearer &= 0x1F
	return &Entity{cfg: cfg}
}

// Seal appends the protected PDU of sdu to dst and uses up one COUNT (TS 38.323, 5.2.1).
func (e *Entity) Seal(dst, sdu []byte, c Ciphering) ([]byte, error) {
	if e.txNext >= e.cfg.Limit {
		return nil, ErrExhausted
	}
	count := e.txNext
	e.txNext++
	start := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, uint16(count&snMask))
	dst = binary.BigEndian.AppendUint16(dst, e.cfg.Session)
	dst = append(dst, sdu...)
	mac := e.cfg.MAC.Sum(count, e.cfg.Bearer, e.cfg.Direction, dst[start:])
	dst = append(dst, mac[:]...)
	if c == Ciphered {
		body := dst[start+headerLen:]
		e.cfg.Cipher.XORKeyStream(body, body, count, e.cfg.Bearer, e.cfg.Direction)
	}
	return dst, nil
}

// Rename changes the K_NRP-sess ID in front of what is sent. Keys, COUNT and the receiving state
// belong to the context and stay (TS 24.554, 7.2.4).
func (e *Entity) Rename(session uint16) { e.cfg.Session = session }

// Used is how many COUNTs of the sending direction are used up.
func (e *Entity) Used() uint32 { return e.txNext }

// Last is the COUNT of the PDU that Open took last.
func (e *Entity) Last() uint32 { return e.last }

// Open verifies a PDU and returns its SDU in a slice of its own. Nothing changes before the
// MAC-I is right (TS 38.323, 5.2.2). The caller found the entity by the PDU's K_NRP-sess ID,
// which the MAC-I covers.
func (e *Entity) Open(pdu []byte, c Ciphering) ([]byte, error) {
	sn, _, err := ParseHeader(pdu)
	if err != nil {
		return nil, err
	}
	count, ok := e.window.count(sn)
	if !ok {
		return nil, ErrReplay
	}
	direction := 1 - e.cfg.Direction
	body := make([]byte, len(pdu)-headerLen)
	copy(body, pdu[headerLen:])
	if c == Ciphered {
		e.cfg.Cipher.XORKeyStream(body, body, count, e.cfg.Bearer, direction)
	}
	data, mac := body[:len(body)-macLen], body[len(body)-macLen:]
	want := e.cfg.MAC.Sum(count, e.cfg.Bearer, direction, pdu[:headerLen], data)
	if subtle.ConstantTimeCompare(want[:], mac) != 1 {
		return nil, ErrIntegrity
	}
	if !e.window.take(count) {
		return nil, ErrReplay
	}
	e.last = count
	return data, nil
}
