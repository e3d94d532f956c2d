package kei

import (
	"errors"
	"fmt"
)

// ErrLimit says that a flight is larger than allowed.
var ErrLimit = errors.New("kei: flight over a limit")

// ErrSequence says that a fragment does not continue its flight.
var ErrSequence = errors.New("kei: fragment out of sequence")

// Outgoing is a flight on its way out, one container at a time.
type Outgoing struct {
	rest  []byte
	total int
	begun bool
}

// NewOutgoing starts a flight; it keeps flight.
func NewOutgoing(flight []byte) Outgoing { return Outgoing{rest: flight, total: len(flight)} }

// Done reports whether the whole flight was filled into containers.
func (o *Outgoing) Done() bool { return len(o.rest) == 0 }

// Fill puts the next fragment into c, as much as fits; the first one carries the total length.
func (o *Outgoing) Fill(c *Container) {
	if !o.begun {
		o.begun = true
		c.HasTotal, c.Total = true, uint32(o.total)
	}
	n := min(MaxLen-c.len(), len(o.rest))
	c.Fragment, o.rest = o.rest[:n:n], o.rest[n:]
	c.More = len(o.rest) > 0
}

// Reassembly collects one flight. The zero value is ready.
type Reassembly struct {
	flight    []byte
	total     int
	fragments int
}

// Add takes the next fragment and reports whether the flight is whole. On an error nothing
// has changed.
func (r *Reassembly) Add(c *Container) (whole bool, err error) {
	if c.HasTotal == (r.fragments > 0) {
		return false, fmt.Errorf("%w: only the first fragment has a total length", ErrSequence)
	}
	total := r.total
	if c.HasTotal {
		total = int(c.Total)
	}
	length := len(r.flight) + len(c.Fragment)
	switch {
	case total > MaxTotal || r.fragments >= MaxFragments:
		return false, ErrLimit
	case len(c.Fragment) == 0 || length > total || c.More == (length == total):
		return false, fmt.Errorf("%w: %d of %d octets", ErrSequence, length, total)
	}
	if r.fragments == 0 { // room for two, which most flights have; the total is only a claim
		r.flight = make([]byte, 0, min(total, 2*len(c.Fragment)))
	}
	r.flight = append(r.flight, c.Fragment...)
	r.total, r.fragments = total, r.fragments+1
	return !c.More, nil
}

// Flight returns the collected octets.
func (r *Reassembly) Flight() []byte { return r.flight }
