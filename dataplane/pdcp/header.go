package pdcp

import (
	"encoding/binary"
	"errors"
)

const (
	headerLen      = 4 // SN and K_NRP-sess ID
	clearHeaderLen = 2
	macLen         = 4
	snBits         = 12
	snMask         = 1<<snBits - 1
)

var (
	// ErrShort says that a PDU is shorter than its header and MAC-I.
	ErrShort = errors.New("pdcp: PDU too short")
	// ErrIntegrity says that the MAC-I is wrong.
	ErrIntegrity = errors.New("pdcp: integrity check failed")
	// ErrReplay says that the COUNT was received before or is too old.
	ErrReplay = errors.New("pdcp: COUNT received before or too old")
	// ErrExhausted says that no COUNT is left: the context has to be replaced.
	ErrExhausted = errors.New("pdcp: COUNT used up")
)

// AppendUnprotected appends a PDU of SL-SRB0 or SL-SRB4. The SDU type is 000.
func AppendUnprotected(dst []byte, sn uint16, sdu []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, sn&snMask)
	return append(dst, sdu...)
}

// ParseUnprotected returns SN and SDU of a PDU of SL-SRB0 or SL-SRB4; the SDU aliases pdu. R and
// the SDU type are ignored.
func ParseUnprotected(pdu []byte) (sn uint16, sdu []byte, err error) {
	if len(pdu) < clearHeaderLen {
		return 0, nil, ErrShort
	}
	return binary.BigEndian.Uint16(pdu) & snMask, pdu[clearHeaderLen:], nil
}

// ParseHeader returns SN and K_NRP-sess ID of a protected PDU.
func ParseHeader(pdu []byte) (sn, session uint16, err error) {
	if len(pdu) < headerLen+macLen {
		return 0, 0, ErrShort
	}
	return binary.BigEndian.Uint16(pdu) & snMask, binary.BigEndian.Uint16(pdu[2:]), nil
}

// PeekClear returns the unverified SDU of an unciphered PDU: the security mode command has to
// be read before the keys that verify it exist (TS 38.323, 5.9 NOTE). It aliases pdu.
func PeekClear(pdu []byte) ([]byte, error) {
	if len(pdu) < headerLen+macLen {
		return nil, ErrShort
	}
	return pdu[headerLen : len(pdu)-macLen], nil
}
