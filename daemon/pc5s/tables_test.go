package pc5s_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"pc5d/daemon/pc5s"
)

// The tests here make their cases from the tables: each rule holds for each IE of each message.

// sample is one message of the sample in pieces.
type sample struct {
	message  pc5s.Message
	head     []byte    // type and sequence number
	mandated []pc5s.IE // in their order
	optional []pc5s.IE
}

func samples(t *testing.T) []sample {
	t.Helper()
	var all []sample
	for _, m := range messages() {
		s := sample{message: m, head: pc5s.Marshal(m)[:2]}
		for _, ie := range pc5s.IEs(m) {
			switch {
			case ie.Unsent:
			case ie.Octets == nil:
				t.Errorf("%s: the sample has no %s", m.Type(), ie.Name)
			case ie.Optional:
				s.optional = append(s.optional, ie)
			default:
				s.mandated = append(s.mandated, ie)
			}
		}
		all = append(all, s)
	}
	return all
}

// octets puts the mandatory part together, and the optional IEs given.
func (s *sample) octets(optional ...[]byte) []byte {
	b := slices.Clone(s.head)
	for _, ie := range s.mandated {
		b = append(b, ie.Octets...)
	}
	return append(b, slices.Concat(optional...)...)
}

func understands(t *testing.T, what string, s *sample, in, want []byte) {
	t.Helper()
	m, err := pc5s.Parse(in)
	if err != nil {
		t.Errorf("%s: %s: %v", s.message.Type(), what, err)
	} else if got := pc5s.Marshal(m); !bytes.Equal(got, want) {
		t.Errorf("%s: %s: understood %x, want %x", s.message.Type(), what, got, want)
	}
}

func refuses(t *testing.T, what string, s *sample, in []byte, want pc5s.Kind) {
	t.Helper()
	m, err := pc5s.Parse(in)
	if e := (*pc5s.Error)(nil); m != nil || !errors.As(err, &e) || e.Kind != want {
		t.Errorf("%s: %s: got %v, %v, want %v", s.message.Type(), what, m, err, want)
	}
}

// TestSampleIsWhole: one message of each type, with each IE.
func TestSampleIsWhole(t *testing.T) {
	all := samples(t)
	types := pc5s.AllMessages()
	for i := range max(len(all), len(types)) {
		if i >= len(all) || i >= len(types) || all[i].message.Type() != types[i].Type() {
			t.Fatalf("message %d of the sample is not of the type that comes next", i)
		}
	}
}

// TestMandatoryCut: a mandatory part that ends early is refused at each length.
func TestMandatoryCut(t *testing.T) {
	for _, s := range samples(t) {
		b := s.octets()
		for n := 1; n < len(b); n++ {
			refuses(t, "cut", &s, b[:n], pc5s.Mandatory)
		}
	}
}

// TestOptionalIEs: each alone, cut, twice, and before the one that should precede it.
func TestOptionalIEs(t *testing.T) {
	for _, s := range samples(t) {
		for i, ie := range s.optional {
			whole := s.octets(ie.Octets)
			understands(t, ie.Name+" alone", &s, whole, whole)
			other := slices.Clone(ie.Octets)
			other[len(other)-1] ^= 1
			understands(t, ie.Name+" twice", &s, s.octets(ie.Octets, other), whole)
			for n := len(whole) - len(ie.Octets) + 1; n < len(whole); n++ {
				refuses(t, ie.Name+" cut", &s, whole[:n], pc5s.PastTheEnd)
			}
			for _, earlier := range s.optional[:i] {
				understands(t, earlier.Name+" after "+ie.Name, &s, s.octets(ie.Octets, earlier.Octets), whole)
			}
		}
	}
}

// lengthAt is where the length of an IE stands in it, and how many octets it has.
func lengthAt(ie pc5s.IE) (at, size int) {
	switch ie.Format {
	case "LV":
		return 0, 1
	case "LV-E":
		return 0, 2
	case "TLV":
		return 1, 1
	case "TLV-E":
		return 1, 2
	}
	return 0, 0
}

// valued is the IE with other contents.
func valued(ie pc5s.IE, value []byte) []byte {
	at, size := lengthAt(ie)
	b := slices.Clone(ie.Octets[:at+size])
	if size == 1 {
		b[at] = byte(len(value))
	} else {
		binary.BigEndian.PutUint16(b[at:], uint16(len(value)))
	}
	return append(b, value...)
}

// TestLengths: an IE may be as short as its row says and no shorter; the surplus of one that is
// longer than defined is ignored.
func TestLengths(t *testing.T) {
	for _, s := range samples(t) {
		for i, ie := range s.mandated {
			at, size := lengthAt(ie)
			if size == 0 {
				continue
			}
			with := func(value []byte) []byte {
				changed := s
				changed.mandated = slices.Clone(s.mandated)
				changed.mandated[i].Octets = valued(ie, value)
				return changed.octets()
			}
			refuses(t, ie.Name+" too short", &s, with(ie.Octets[at+size:][:ie.Min-1]), pc5s.Mandatory)
			if ie.Max < 255 {
				long := bytes.Repeat([]byte{'x'}, 255)
				understands(t, ie.Name+" too long", &s, with(long), with(long[:ie.Max]))
			}
		}
		for _, ie := range s.optional {
			at, size := lengthAt(ie)
			if size == 0 {
				continue
			}
			understands(t, ie.Name+" too short", &s, s.octets(valued(ie, ie.Octets[at+size:][:ie.Min-1])), s.octets())
			if ie.Max < 255 {
				long := bytes.Repeat([]byte{'x'}, 255)
				understands(t, ie.Name+" too long", &s, s.octets(valued(ie, long)), s.octets(valued(ie, long[:ie.Max])))
			}
		}
	}
}
