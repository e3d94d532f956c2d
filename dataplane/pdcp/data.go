package pdcp

import (
	"encoding/binary"
	"errors"
)

const (
	// DataHeaderLen is the length of the header of a data PDU: SN and K_NRP-sess ID.
	DataHeaderLen = 5
	// DataOverhead is what a data PDU adds to its packet at most.
	DataOverhead = DataHeaderLen + macLen
	// DataLimit is the first COUNT of a data bearer that is never used. Chosen: COUNT never wraps.
	DataLimit = limit

	dataSNBits = 18
	dataSNMask = 1<<dataSNBits - 1

	dataPDU   = 0x80 // D/C
	sduType   = 0x70
	sduTypeIP = 0x00
)

var (
	// ErrControl says that a PDU is a control PDU, of which none is used.
	ErrControl = errors.New("pdcp: control PDU")
	// ErrSDUType says that a PDU carries something else than an IP packet.
	ErrSDUType = errors.New("pdcp: SDU type is not IP")
)

// DataSN is a sequence number of a data bearer, 18 bits.
type DataSN uint32

// DataHeader is the header of a PDU of a unicast SL-DRB with 18-bit SN (TS 38.323, 6.2.2).
type DataHeader struct {
	SN      DataSN
	Session uint16 // K_NRP-sess ID; 0 where nothing protects the bearer (6.3.13)
}

// AppendTo appends the five octets of h.
func (h DataHeader) AppendTo(b []byte) []byte {
	b = append(b, dataPDU|sduTypeIP|byte(h.SN>>16)&0x03, byte(h.SN>>8), byte(h.SN))
	return binary.BigEndian.AppendUint16(b, h.Session)
}

// ParseData reads the header of a data PDU. Nothing in it is proven. R is ignored.
func ParseData(pdu []byte) (DataHeader, error) {
	switch {
	case len(pdu) < DataHeaderLen:
		return DataHeader{}, ErrShort
	case pdu[0]&dataPDU == 0:
		return DataHeader{}, ErrControl
	case pdu[0]&sduType != sduTypeIP:
		return DataHeader{}, ErrSDUType
	}
	sn := DataSN(pdu[0]&0x03)<<16 | DataSN(pdu[1])<<8 | DataSN(pdu[2])
	return DataHeader{SN: sn, Session: binary.BigEndian.Uint16(pdu[3:])}, nil
}

// SNOf is the SN that stands for a COUNT.
func SNOf(count uint32) DataSN { return DataSN(count & dataSNMask) }

// CountOf finds the COUNT of an SN near RX_DELIV, deliver, which is at most 2^32 (TS 38.323, 5.2.2.1).
// False: it would be below 0 or past the end.
func CountOf(deliver uint64, sn DataSN) (uint32, bool) {
	return estimate(deliver, uint32(sn), dataSNBits)
}
