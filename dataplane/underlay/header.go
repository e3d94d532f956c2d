package underlay

import (
	"errors"
	"fmt"
)

// HeaderLen is the length of the underlay header.
const HeaderLen = 8

const version = 1

// ErrShort and ErrVersion are the reasons why Parse refuses a datagram.
var (
	ErrShort   = errors.New("underlay: datagram is shorter than the 8 octet header")
	ErrVersion = errors.New("underlay: header has an unknown version: the peer needs the same release line")
)

// Header is the header of one datagram.
type Header struct {
	Form        Form
	Destination LayerTwoID
	Source      LayerTwoID
	LCID        LCID
}

// AppendTo appends the eight octets of h. Only 4 bits of the form and 24 of each ID exist on
// the wire.
func (h Header) AppendTo(b []byte) []byte {
	return append(b,
		version<<4|byte(h.Form)&0x0f,
		byte(h.Destination>>16), byte(h.Destination>>8), byte(h.Destination),
		byte(h.Source>>16), byte(h.Source>>8), byte(h.Source),
		byte(h.LCID))
}

// Peek reads form and LCID only, for who sorts datagrams; false where Parse would refuse it.
func Peek(b []byte) (Form, LCID, bool) {
	if len(b) < HeaderLen || b[0]>>4 != version {
		return 0, 0, false
	}
	return Form(b[0] & 0x0f), LCID(b[7]), true
}

// Parse reads the header and returns the PDU behind it, which is part of b. It does not judge
// form, IDs or LCID: that is the receiver's.
func Parse(b []byte) (Header, []byte, error) {
	if len(b) < HeaderLen {
		return Header{}, nil, ErrShort
	}
	if b[0]>>4 != version {
		return Header{}, nil, ErrVersion
	}
	h := Header{
		Form:        Form(b[0] & 0x0f),
		Destination: LayerTwoID(b[1])<<16 | LayerTwoID(b[2])<<8 | LayerTwoID(b[3]),
		Source:      LayerTwoID(b[4])<<16 | LayerTwoID(b[5])<<8 | LayerTwoID(b[6]),
		LCID:        LCID(b[7]),
	}
	return h, b[HeaderLen:], nil
}

// LayerTwoID is a 24-bit ProSe layer-2 ID.
type LayerTwoID uint32

// Broadcast is the destination of a request to an endpoint whose layer-2 ID is unknown.
const Broadcast LayerTwoID = 0xFFFFFF

// Assignable reports whether the ID may name one end of a link.
func (id LayerTwoID) Assignable() bool { return id > 0 && id < Broadcast }

// String gives the ID as "0x00abcd".
func (id LayerTwoID) String() string { return fmt.Sprintf("0x%06x", uint32(id)) }
