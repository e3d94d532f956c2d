package pc5s

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

var (
	errReserved = errors.New("reserved value")
	errSyntax   = errors.New("syntax")
)

// octets is an IE body that is kept as received; empty means absent.
type octets struct{ p *[]byte }

func (f octets) present() bool            { return len(*f.p) > 0 }
func (f octets) appendTo(b []byte) []byte { return append(b, *f.p...) }
func (f octets) parse(b []byte) error     { *f.p = b; return nil }

// identity is an application layer ID.
type identity struct{ p *[]byte }

func (f identity) present() bool            { return len(*f.p) > 0 }
func (f identity) appendTo(b []byte) []byte { return append(b, *f.p...) }
func (f identity) parse(b []byte) error {
	if !utf8.Valid(b) {
		return errSyntax
	}
	*f.p = b
	return nil
}

// octet is a mandatory one-octet value.
type octet[T ~uint8] struct{ p *T }

func (f octet[T]) present() bool            { return true }
func (f octet[T]) appendTo(b []byte) []byte { return append(b, byte(*f.p)) }
func (f octet[T]) parse(b []byte) error     { *f.p = T(b[0]); return nil }

// optionalOctet is an optional one; nil means absent.
type optionalOctet[T ~uint8] struct{ p **T }

func (f optionalOctet[T]) present() bool            { return *f.p != nil }
func (f optionalOctet[T]) appendTo(b []byte) []byte { return append(b, byte(**f.p)) }
func (f optionalOctet[T]) parse(b []byte) error     { v := T(b[0]); *f.p = &v; return nil }

// optionalNibble is the value of a type 1 IE, in the low half of the octet; nil means absent.
type optionalNibble[T ~uint8] struct{ p **T }

func (f optionalNibble[T]) present() bool            { return *f.p != nil }
func (f optionalNibble[T]) appendTo(b []byte) []byte { return append(b, byte(**f.p)) }
func (f optionalNibble[T]) parse(b []byte) error {
	v := T(b[0] &^ type1Mask)
	*f.p = &v
	return nil
}

// number is a mandatory 32-bit value.
type number struct{ p *uint32 }

func (f number) present() bool            { return true }
func (f number) appendTo(b []byte) []byte { return binary.BigEndian.AppendUint32(b, *f.p) }
func (f number) parse(b []byte) error     { *f.p = binary.BigEndian.Uint32(b); return nil }

// optionalNumber is an optional one; nil means absent.
type optionalNumber struct{ p **uint32 }

func (f optionalNumber) present() bool            { return *f.p != nil }
func (f optionalNumber) appendTo(b []byte) []byte { return binary.BigEndian.AppendUint32(b, **f.p) }
func (f optionalNumber) parse(b []byte) error {
	v := binary.BigEndian.Uint32(b)
	*f.p = &v
	return nil
}

// layerTwoID is a mandatory layer-2 ID of 24 bits.
type layerTwoID struct{ p *LayerTwoID }

func (f layerTwoID) present() bool { return true }
func (f layerTwoID) appendTo(b []byte) []byte {
	return append(b, byte(*f.p>>16), byte(*f.p>>8), byte(*f.p))
}
func (f layerTwoID) parse(b []byte) error {
	*f.p = LayerTwoID(b[0])<<16 | LayerTwoID(b[1])<<8 | LayerTwoID(b[2])
	return nil
}

// half is a mandatory half of a K_NRP ID.
type half struct{ p *uint16 }

func (f half) present() bool            { return true }
func (f half) appendTo(b []byte) []byte { return binary.BigEndian.AppendUint16(b, *f.p) }
func (f half) parse(b []byte) error     { *f.p = binary.BigEndian.Uint16(b); return nil }

// optionalHalf is an optional one; nil means absent.
type optionalHalf struct{ p **uint16 }

func (f optionalHalf) present() bool            { return *f.p != nil }
func (f optionalHalf) appendTo(b []byte) []byte { return binary.BigEndian.AppendUint16(b, **f.p) }
func (f optionalHalf) parse(b []byte) error {
	v := binary.BigEndian.Uint16(b)
	*f.p = &v
	return nil
}

// optional16 is a nonce or an IPv6 address; nil means absent.
type optional16 struct{ p **[16]byte }

func (f optional16) present() bool            { return *f.p != nil }
func (f optional16) appendTo(b []byte) []byte { return append(b, (**f.p)[:]...) }
func (f optional16) parse(b []byte) error     { v := [16]byte(b); *f.p = &v; return nil }

// nonZero is an optional one-octet value of which 0 means absent.
type nonZero[T ~uint8] struct{ p *T }

func (f nonZero[T]) present() bool            { return *f.p != 0 }
func (f nonZero[T]) appendTo(b []byte) []byte { return append(b, byte(*f.p)) }
func (f nonZero[T]) parse(b []byte) error     { *f.p = T(b[0]); return nil }
