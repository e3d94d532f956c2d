package kei

import (
	"encoding/binary"
	"fmt"
)

// Types of the TLVs of an offer. The others of the format are ignored until they are used.
const (
	tlvMethods = 1
	tlvPadding = 7
)

// Offer is the container of an establishment request.
type Offer struct {
	Methods []Method // by preference
	Padding int      // octets of padding content; 0: none
}

// AppendTo appends the octets of an offer.
func (o *Offer) AppendTo(b []byte) []byte {
	b = append(b, version<<4|byte(Offered), 0, 0, tlvMethods)
	b = binary.BigEndian.AppendUint16(b, uint16(len(o.Methods)))
	for _, m := range o.Methods {
		b = append(b, byte(m))
	}
	if o.Padding > 0 {
		b = append(b, tlvPadding)
		b = binary.BigEndian.AppendUint16(b, uint16(o.Padding))
		b = append(b, make([]byte, o.Padding)...)
	}
	return b
}

// ParseOffer reads an offer: unknown TLVs are ignored, one that stands twice is an error.
func ParseOffer(b []byte) (*Offer, error) {
	if len(b) < offerHeaderLen || len(b) > MaxLen || b[0] != version<<4|byte(Offered) {
		return nil, fmt.Errorf("%w: no offer", ErrMalformed)
	}
	var o Offer
	var seen [256]bool
	for rest := b[offerHeaderLen:]; len(rest) > 0; {
		if len(rest) < 3 || len(rest) < 3+int(binary.BigEndian.Uint16(rest[1:])) {
			return nil, fmt.Errorf("%w: TLV past the end", ErrMalformed)
		}
		t, n := rest[0], 3+int(binary.BigEndian.Uint16(rest[1:]))
		if seen[t] {
			return nil, fmt.Errorf("%w: TLV %d twice", ErrMalformed, t)
		}
		seen[t] = true
		switch t {
		case tlvMethods:
			for _, m := range rest[3:n] {
				o.Methods = append(o.Methods, Method(m))
			}
		case tlvPadding:
			o.Padding = n - 3
		}
		rest = rest[n:]
	}
	return &o, nil
}
