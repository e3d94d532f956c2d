package record

import (
	"errors"

	"pc5d/dataplane/underlay"
)

const (
	// HeaderLen is the length of the record header, underlay header included. All of it is AAD.
	HeaderLen = underlay.HeaderLen + 2 + 6
	// TagLen is the length of the tag, in the modes that have one.
	TagLen = 16
	// Overhead is what a record adds to its content at most.
	Overhead = HeaderLen + TagLen
	// ContentLen is the room for frames on a 1500-octet path; a multiple of 128 because
	// AES-GCM is fastest there.
	ContentLen = 1408
	// BaseContentLen fits every path that IPv6 may use, 1280 octets, over either version of IP. Records
	// are never shorter because of their path: nobody can make them so by pretending.
	BaseContentLen = 1152
)

// ErrShort and ErrNotRecord are the reasons why ParseHeader refuses a datagram.
var (
	ErrShort     = errors.New("record: datagram is shorter than a header and a tag")
	ErrNotRecord = errors.New("record: datagram has another form than a record")
)

// Header is the header of one record.
type Header struct {
	underlay.Header
	Session uint16 // K_NRP-sess ID
	Count   Count
}

// AppendTo appends the 16 octets of h. It sets the form.
func (h Header) AppendTo(b []byte) []byte {
	h.Form = underlay.FormRecord
	b = h.Header.AppendTo(b)
	return append(b,
		byte(h.Session>>8), byte(h.Session),
		byte(h.Count>>40), byte(h.Count>>32), byte(h.Count>>24), byte(h.Count>>16), byte(h.Count>>8), byte(h.Count))
}

// ParseHeader splits a datagram into its header, the AAD and the sealed content with its tag; both
// slices are parts of datagram, the one right behind the other, so nothing may be appended to the AAD.
// Nothing in it is proven yet. One that is too short for a header and a tag holds no packet in the
// modes without a tag either.
func ParseHeader(datagram []byte) (h Header, aad, sealed []byte, err error) {
	if len(datagram) < Overhead {
		return Header{}, nil, nil, ErrShort
	}
	u, b, err := underlay.Parse(datagram)
	if err != nil {
		return Header{}, nil, nil, err
	}
	if u.Form != underlay.FormRecord {
		return Header{}, nil, nil, ErrNotRecord
	}
	h = Header{
		Header:  u,
		Session: uint16(b[0])<<8 | uint16(b[1]),
		Count: Count(b[2])<<40 | Count(b[3])<<32 | Count(b[4])<<24 |
			Count(b[5])<<16 | Count(b[6])<<8 | Count(b[7]),
	}
	return h, datagram[:HeaderLen], datagram[HeaderLen:], nil
}
