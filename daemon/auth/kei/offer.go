package kei

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Types of the TLVs of an offer and of a psk-dhe command. The others of the format are ignored
// until they are used.
const (
	tlvMethods   = 1
	tlvTag       = 2
	tlvShare     = 3
	tlvTimestamp = 4
	tlvBinder    = 5
	tlvGate      = 6
	tlvPadding   = 7
	tlvInvite    = 8
)

const (
	// ShareLen is the length of an X25519 share.
	ShareLen = 32
	// TagLen is the length of the tag of a key.
	TagLen = 8
	// ProofLen is the length of a binder and of a gate.
	ProofLen = 16

	tlvHeaderLen = 3
)

// Offer is the container of an establishment or re-keying request.
type Offer struct {
	Methods []Method        // by preference
	KeyTag  *[TagLen]byte   // psk-dhe: names the key instead of a K_NRP ID
	Share   *[ShareLen]byte // psk-dhe: the sender's X25519 share
	Time    *uint64         // psk-dhe: UTC, ns
	Binder  *[ProofLen]byte // psk-dhe: proof of the key, over the whole request with proofs blank
	Gate    *[ProofLen]byte // knowledge of the responder's fingerprint, over the same
	Padding int             // octets of padding content; 0: none

	at uint64 // that Time of an offer that was read points to
}

// AppendTo appends the octets of an offer.
func (o *Offer) AppendTo(b []byte) []byte {
	b = append(b, version<<4|byte(Offered), 0, 0)
	methods := make([]byte, len(o.Methods))
	for i, m := range o.Methods {
		methods[i] = byte(m)
	}
	b = appendTLV(b, tlvMethods, methods)
	if o.KeyTag != nil {
		b = appendTLV(b, tlvTag, o.KeyTag[:])
	}
	if o.Share != nil {
		b = appendTLV(b, tlvShare, o.Share[:])
	}
	if o.Time != nil {
		b = appendTLV(b, tlvTimestamp, binary.BigEndian.AppendUint64(nil, *o.Time))
	}
	if o.Binder != nil {
		b = appendTLV(b, tlvBinder, o.Binder[:])
	}
	if o.Gate != nil {
		b = appendTLV(b, tlvGate, o.Gate[:])
	}
	if o.Padding > 0 {
		b = appendTLV(b, tlvPadding, make([]byte, o.Padding))
	}
	return b
}

func appendTLV(b []byte, t byte, value []byte) []byte {
	b = append(b, t)
	b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
	return append(b, value...)
}

var (
	errNoOffer  = fmt.Errorf("%w: no offer", ErrMalformed)
	errTLV      = fmt.Errorf("%w: TLV past the end", ErrMalformed)
	errTLVTwice = fmt.Errorf("%w: TLV twice", ErrMalformed)
	errTLVValue = fmt.Errorf("%w: TLV of another length than defined", ErrMalformed)
)

// ParseOffer reads an offer: unknown TLVs are ignored, one that stands twice is an error. What the
// offer points to is part of b.
func ParseOffer(b []byte) (*Offer, error) {
	o := new(Offer)
	if err := o.Read(b); err != nil {
		return nil, err
	}
	return o, nil
}

// Read is ParseOffer into memory that there is; after an error o means nothing.
func (o *Offer) Read(b []byte) error {
	if len(b) < offerHeaderLen || len(b) > MaxLen || b[0] != version<<4|byte(Offered) {
		return errNoOffer
	}
	*o = Offer{Methods: o.Methods[:0]}
	return eachTLV(b[offerHeaderLen:], func(t byte, value []byte) error {
		switch t {
		case tlvMethods:
			for _, m := range value {
				o.Methods = append(o.Methods, Method(m))
			}
		case tlvTag:
			return fixed(&o.KeyTag, value)
		case tlvShare:
			return fixed(&o.Share, value)
		case tlvTimestamp:
			var octets *[8]byte
			if err := fixed(&octets, value); err != nil {
				return err
			}
			o.at = binary.BigEndian.Uint64(octets[:])
			o.Time = &o.at
		case tlvBinder:
			return fixed(&o.Binder, value)
		case tlvGate:
			return fixed(&o.Gate, value)
		case tlvPadding:
			o.Padding = len(value)
		}
		return nil
	})
}

// Offers tells whether a method is offered.
func (o *Offer) Offers(m Method) bool { return slices.Contains(o.Methods, m) }

// BlankProofs overwrites the values of all proofs of an offer by zeros, in place: that is the
// form that binders, gates and invites are made over. Octets that are no offer stay as they are.
func BlankProofs(offer []byte) {
	if len(offer) < offerHeaderLen {
		return
	}
	_ = eachTLV(offer[offerHeaderLen:], func(t byte, value []byte) error { // the offer was parsed before
		if t == tlvBinder || t == tlvGate || t == tlvInvite {
			clear(value)
		}
		return nil
	})
}

// eachTLV walks over TLVs; what stands twice or passes the end is an error.
func eachTLV(b []byte, visit func(t byte, value []byte) error) error {
	var seen [256]bool
	for len(b) > 0 {
		if len(b) < tlvHeaderLen || len(b) < tlvHeaderLen+int(binary.BigEndian.Uint16(b[1:])) {
			return errTLV
		}
		t, n := b[0], tlvHeaderLen+int(binary.BigEndian.Uint16(b[1:]))
		if seen[t] {
			return errTLVTwice
		}
		seen[t] = true
		if err := visit(t, b[tlvHeaderLen:n:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// fixed points to a value whose length is fixed.
func fixed[A [8]byte | [ProofLen]byte | [ShareLen]byte](into **A, value []byte) error {
	if len(value) != len(*new(A)) {
		return errTLVValue
	}
	switch p := any(into).(type) {
	case **[8]byte:
		*p = (*[8]byte)(value)
	case **[ProofLen]byte:
		*p = (*[ProofLen]byte)(value)
	case **[ShareLen]byte:
		*p = (*[ShareLen]byte)(value)
	}
	return nil
}
