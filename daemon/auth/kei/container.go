package kei

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Method is a way to authenticate and to make K_NRP.
type Method uint8

const (
	Offered Method = 0 // the offer in a request
	TLS13   Method = 1
	PSKDHE  Method = 2
)

const (
	version = 1

	// MaxLen bounds a container, header included.
	MaxLen = 1100
	// MaxTotal bounds one direction's flights together.
	MaxTotal = 16 << 10
	// MaxFragments bounds one flight.
	MaxFragments = 16

	offerHeaderLen = 3
	headerLen      = 11
)

const (
	flagStart   = 0x80
	flagCookie  = 0x40
	flagRequest = 0x20
	flagTotal   = 0x10
	flagMore    = 0x08
	flagAck     = 0x04
	flagFailure = 0x02
)

// ErrMalformed says that octets are no container. Every error of this file is one; they are made
// beforehand, because octets of strangers must not cost memory (T30).
var ErrMalformed = errors.New("kei: malformed container")

var (
	errLength  = fmt.Errorf("%w: shorter than its header, or over %d octets", ErrMalformed, MaxLen)
	errVersion = fmt.Errorf("%w: unknown version", ErrMalformed)
	errMethod  = fmt.Errorf("%w: unknown method", ErrMalformed)
	errTotal   = fmt.Errorf("%w: total length past the end", ErrMalformed)
	errCookie  = fmt.Errorf("%w: cookie past the end", ErrMalformed)
	errRequest = fmt.Errorf("%w: request copy past the end", ErrMalformed)
	errAck     = fmt.Errorf("%w: acknowledgement with a fragment", ErrMalformed)
)

// Container is one container of a conversation. Slices that Parse returns alias its argument.
type Container struct {
	Method                          Method
	Start, More, AckOnly, Failure   bool
	HasCookie, HasRequest, HasTotal bool
	Exchange                        uint8
	Tag                             [8]byte
	Total                           uint32
	Cookie                          []byte // at most 255 octets
	Request                         []byte
	Fragment                        []byte
}

// Tag names the conversation that a request started.
func Tag(request []byte) [8]byte {
	sum := sha256.Sum256(request)
	return [8]byte(sum[:8])
}

// AppendTo appends the octets of a valid container.
func (c *Container) AppendTo(b []byte) []byte {
	b = slices.Grow(b, c.len()+len(c.Fragment))
	b = append(b, version<<4|byte(c.Method), c.flags(), c.Exchange)
	b = append(b, c.Tag[:]...)
	if c.HasTotal {
		b = binary.BigEndian.AppendUint32(b, c.Total)
	}
	if c.HasCookie {
		b = append(b, byte(len(c.Cookie)))
		b = append(b, c.Cookie...)
	}
	if c.HasRequest {
		b = binary.BigEndian.AppendUint16(b, uint16(len(c.Request)))
		b = append(b, c.Request...)
	}
	return append(b, c.Fragment...)
}

func (c *Container) flags() byte {
	var f byte
	for _, x := range []struct {
		on  bool
		bit byte
	}{
		{c.Start, flagStart}, {c.HasCookie, flagCookie}, {c.HasRequest, flagRequest}, {c.HasTotal, flagTotal},
		{c.More, flagMore}, {c.AckOnly, flagAck}, {c.Failure, flagFailure},
	} {
		if x.on {
			f |= x.bit
		}
	}
	return f
}

// Parse reads a container of a conversation. The spare bit of the flags is ignored.
func Parse(b []byte) (*Container, error) {
	c := new(Container)
	if err := c.Read(b); err != nil {
		return nil, err
	}
	return c, nil
}

// Read is Parse into memory that there is; after an error c means nothing.
func (c *Container) Read(b []byte) error {
	if len(b) < headerLen || len(b) > MaxLen {
		return errLength
	}
	if b[0]>>4 != version {
		return errVersion
	}
	method, f := Method(b[0]&0xF), b[1]
	if method != TLS13 && method != PSKDHE {
		return errMethod
	}
	*c = Container{
		Method: method, Exchange: b[2], Tag: [8]byte(b[3:headerLen]), Start: f&flagStart != 0, More: f&flagMore != 0, AckOnly: f&flagAck != 0,
		Failure: f&flagFailure != 0, HasCookie: f&flagCookie != 0, HasRequest: f&flagRequest != 0, HasTotal: f&flagTotal != 0,
	}
	rest := b[headerLen:]
	if c.HasTotal {
		if len(rest) < 4 {
			return errTotal
		}
		c.Total, rest = binary.BigEndian.Uint32(rest), rest[4:]
	}
	if c.HasCookie {
		if len(rest) < 1 || len(rest) < 1+int(rest[0]) {
			return errCookie
		}
		n := 1 + int(rest[0])
		c.Cookie, rest = rest[1:n:n], rest[n:]
	}
	if c.HasRequest {
		if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
			return errRequest
		}
		n := 2 + int(binary.BigEndian.Uint16(rest))
		c.Request, rest = rest[2:n:n], rest[n:]
	}
	c.Fragment = rest
	if c.AckOnly && (len(rest) != 0 || c.More || c.HasTotal) {
		return errAck
	}
	return nil
}

// len is the number of octets without a fragment.
func (c *Container) len() int {
	n := headerLen
	if c.HasTotal {
		n += 4
	}
	if c.HasCookie {
		n += 1 + len(c.Cookie)
	}
	if c.HasRequest {
		n += 2 + len(c.Request)
	}
	return n
}
