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

func understands(t *testing.T, what string, s *sample, in, want []byte) {
	t.Helper()
	got, err := s.again(in)
	if err != nil {
		t.Errorf("%s: %s: %v", s.name, what, err)
	} else if !bytes.Equal(got, want) {
		t.Errorf("%s: %s: understood %x, want %x", s.name, what, got, want)
	}
}

func refuses(t *testing.T, what string, s *sample, in []byte, want pc5s.Kind) {
	t.Helper()
	got, err := s.again(in)
	if e := (*pc5s.Error)(nil); !errors.As(err, &e) || e.Kind != want {
		t.Errorf("%s: %s: got %x, %v, want %v", s.name, what, got, err, want)
	}
}

// TestSampleIsWhole: one message of each type, with each IE.
func TestSampleIsWhole(t *testing.T) {
	var types []string
	for _, m := range pc5s.AllMessages() {
		types = append(types, m.Type().String())
	}
	for _, m := range pc5s.AllDiscoveries() {
		types = append(types, m.Type().String())
	}
	var got []string
	for _, s := range samples(t) {
		got = append(got, s.name)
	}
	if !slices.Equal(got, types) {
		t.Errorf("got %q, want %q", got, types)
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
