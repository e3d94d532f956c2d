package pc5s

import "encoding/binary"

// Parse reads a message. Every error is an *Error, and means: ignore the message.
func Parse(b []byte) (Message, error) {
	if len(b) < 1 {
		return nil, &Error{Kind: TooShort}
	}
	t := MessageType(b[0])
	if len(b) > MaxLen {
		return nil, &Error{Kind: TooLong, Message: t}
	}
	m := newMessage(t)
	if m == nil {
		return nil, &Error{Kind: UnknownType, Message: t}
	}
	if len(b) < 2 {
		return nil, &Error{Kind: Mandatory, Message: t, IE: "sequence number"}
	}
	*m.sequence() = SequenceNumber(b[1])
	all := m.rows()
	if kind, ie := readRows(all.used(), b[2:]); kind != 0 {
		return nil, &Error{Kind: kind, Message: t, IE: ie}
	}
	return m, nil
}

// ReadInto reads octets of the type of m into m, an empty message of the caller's: 0, or what is
// wrong. As long as no field of m needs memory of its own, nothing is allocated.
func ReadInto(b []byte, m Message) Kind {
	switch {
	case len(b) < 1:
		return TooShort
	case len(b) > MaxLen:
		return TooLong
	case MessageType(b[0]) != m.Type():
		return UnknownType
	case len(b) < 2:
		return Mandatory
	}
	*m.sequence() = SequenceNumber(b[1])
	all := m.rows()
	kind, _ := readRows(all.used(), b[2:])
	return kind
}

// readRows reads all that follows the head of a message: 0, or what is wrong with which IE.
func readRows(rows []row, b []byte) (Kind, string) {
	for i := range rows {
		r := &rows[i]
		if r.optional() {
			break
		}
		if r.format == formatUnsentV {
			b = skipUnsent(rows[i:], b)
			continue
		}
		value, rest, ok := r.mandatory(b)
		if !ok {
			return Mandatory, r.name
		}
		switch err := r.field.parse(value); err {
		case nil:
		case errReserved:
			return Reserved, r.name
		default:
			return Mandatory, r.name
		}
		b = rest
	}
	return readOptional(rows, b)
}

// skipUnsent leaves out the first of rows where just its octets and those of the V rows behind
// it are left.
func skipUnsent(rows []row, b []byte) []byte {
	n := 0
	for i := 0; i < len(rows) && !rows[i].optional(); i++ {
		n += rows[i].min
	}
	if len(b) == n {
		return b[rows[0].min:]
	}
	return b
}

// mandatory takes one IE without IEI off the front. What is longer than defined is cut to what is
// defined; false: the octets are too few.
func (r *row) mandatory(b []byte) (value, rest []byte, ok bool) {
	n := r.min
	switch r.format {
	case formatLV:
		if len(b) < 1 {
			return nil, nil, false
		}
		n, b = int(b[0]), b[1:]
	case formatLVE:
		if len(b) < 2 {
			return nil, nil, false
		}
		n, b = int(binary.BigEndian.Uint16(b)), b[2:]
	}
	if len(b) < n || n < r.min {
		return nil, nil, false
	}
	defined := min(n, r.max)
	return b[:defined:defined], b[n:], true
}

// readOptional reads the IEs with IEI. Unknown and misplaced ones are skipped, of repeated ones
// the first counts, and a wrong one counts as absent (TS 24.554, 9.3).
func readOptional(rows []row, b []byte) (Kind, string) {
	last := -1 // row of the last IE that was in its place
	for count := 0; len(b) > 0; count++ {
		if count == maxIEs {
			return TooMany, ""
		}
		i := find(rows, b[0])
		if i < 0 && b[0] < classComprehension {
			return Comprehension, ""
		}
		value, rest, ok := split(rows, i, b)
		if !ok {
			return PastTheEnd, ""
		}
		b = rest
		if i <= last {
			continue
		}
		last = i
		r := &rows[i]
		if len(value) < r.min {
			continue
		}
		defined := min(len(value), r.max)
		if err := r.field.parse(value[:defined:defined]); err == errReserved {
			return Reserved, r.name
		}
	}
	return 0, ""
}

func find(rows []row, iei byte) int {
	for i := range rows {
		r := &rows[i]
		if r.optional() && (r.iei == iei && r.format != formatType1 || r.format == formatType1 && iei&type1Mask == r.iei) {
			return i
		}
	}
	return -1
}

// split takes one IE off the front: by its row, or by its class where it is unknown.
func split(rows []row, i int, b []byte) (value, rest []byte, ok bool) {
	f := unknownFormat(b[0])
	if i >= 0 {
		f = rows[i].format
	}
	n, head := 0, 1
	switch f {
	case formatType1:
		return b[:1:1], b[1:], true // the field takes the low half
	case formatTV:
		n = rows[i].min
	case formatTLV:
		if len(b) < 2 {
			return nil, nil, false
		}
		n, head = int(b[1]), 2
	case formatTLVE:
		if len(b) < 3 {
			return nil, nil, false
		}
		n, head = int(binary.BigEndian.Uint16(b[1:])), 3
	}
	if len(b) < head+n {
		return nil, nil, false
	}
	return b[head : head+n : head+n], b[head+n:], true
}

// unknownFormat is the format of an IE that the message does not have (TS 24.007, 11.2;
// recalled).
func unknownFormat(iei byte) format {
	switch {
	case iei >= classOneOctet:
		return formatType1
	case iei >= classTLVE:
		return formatTLVE
	}
	return formatTLV
}
