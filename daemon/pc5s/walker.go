package pc5s

import (
	"encoding/binary"
	"math"
)

// MaxLen is the length of the longest message that is read; others may send up to 65535 octets.
// Chosen.
const MaxLen = 8192

const (
	maxIEs  = 64             // optional IEs of a message on receipt
	maxRows = 9              // rows of the longest table
	open    = math.MaxUint16 // length of an open-ended IE
)

type format uint8

const (
	formatV       format = iota // value of a fixed length
	formatUnsentV               // one that others may send before the V rows that follow; we never do
	formatLV                    // 1-octet length
	formatLVE                   // 2-octet length
	formatTV                    // IEI, value of a fixed length
	formatTLV                   // IEI, 1-octet length
	formatTLVE                  // IEI, 2-octet length
	formatType1                 // IEI in the high half, value in the low half
)

// field is the value part of an IE inside a message struct.
type field interface {
	// present tells whether an optional IE is to be sent.
	present() bool
	appendTo(b []byte) []byte
	// parse takes a value part of legal length. An optional IE that does not parse counts as
	// absent, unless the value is reserved.
	parse(b []byte) error
}

// evidence says what a code point rests on; of an IE it is the weakest of place, IEI and format.
type evidence uint8

const (
	corroborated evidence = iota + 1 // read in the standard, or corroborated by a conformance document or an independent implementation
	recalled                         // from memory of the standard, unverified
	chosen                           // ours: no public value was found, or the standard leaves it open
)

// row is one IE of a message, in the order of the table in TS 24.554, 10.3. min and max count
// the value part only.
type row struct {
	name     string
	format   format
	iei      byte
	min, max int
	evidence evidence
	field    field
}

// table has the rows of a message; the zero rows at its end are none. It is an array, so that
// it lives on the stack of the walker.
type table [maxRows]row

func (t *table) used() []row {
	n := 0
	for n < maxRows && t[n].name != "" {
		n++
	}
	return t[:n]
}

func (r *row) optional() bool { return r.format >= formatTV }

// Marshal returns the octets of a valid message: mandatory IEs are there, and the length of each
// IE is one that its row allows.
func Marshal(m Message) []byte { return AppendTo(make([]byte, 0, 256), m) }

// AppendTo is Marshal into a caller's memory.
func AppendTo(b []byte, m Message) []byte {
	all := m.rows()
	return appendRows(append(b, byte(m.Type()), byte(*m.sequence())), all.used())
}

func appendRows(b []byte, rows []row) []byte {
	for i := range rows {
		if r := &rows[i]; r.format != formatUnsentV && (!r.optional() || r.field.present()) {
			b = r.appendTo(b)
		}
	}
	return b
}

func (r *row) appendTo(b []byte) []byte {
	if r.format == formatTV || r.format == formatTLV || r.format == formatTLVE {
		b = append(b, r.iei)
	}
	start := len(b)
	switch r.format {
	case formatLV, formatTLV:
		b = r.field.appendTo(append(b, 0))
		b[start] = byte(len(b) - start - 1)
	case formatLVE, formatTLVE:
		b = r.field.appendTo(append(b, 0, 0))
		binary.BigEndian.PutUint16(b[start:], uint16(len(b)-start-2))
	case formatType1:
		b = r.field.appendTo(b)
		b[start] = r.iei | b[start]&^type1Mask
	default:
		b = r.field.appendTo(b)
	}
	return b
}
