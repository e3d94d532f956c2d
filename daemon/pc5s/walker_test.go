package pc5s_test

import (
	"reflect"
	"testing"

	"pc5d/daemon/pc5s"
)

// held counts the values that a message holds by pointer: the optional IEs of a fixed length.
func held(m any) int {
	n := 0
	for _, f := range reflect.ValueOf(m).Elem().Fields() {
		if f.Kind() == reflect.Pointer && !f.IsNil() {
			n++
		}
	}
	return n
}

// TestAllocations: reading makes the message and what it points to, writing makes the octets.
func TestAllocations(t *testing.T) {
	for _, s := range samples(t) {
		b := s.write()
		if got, want := testing.AllocsPerRun(100, func() { s.parse(b) }), float64(1+held(s.message)); got > want {
			t.Errorf("%s: reading allocates %v times, want %v", s.name, got, want)
		}
		if got := testing.AllocsPerRun(100, func() { s.write() }); got > 1 {
			t.Errorf("%s: writing allocates %v times, want 1", s.name, got)
		}
	}
}

// TestSkippingAllocatesNothing: what is not understood costs no memory.
func TestSkippingAllocatesNothing(t *testing.T) {
	b := pc5s.Marshal(&pc5s.DirectLinkRekeyingResponse{})
	for range 20 {
		b = append(b, 0xa1, 0x3e, 1, 0, 0x7f, 0, 1, 0)
	}
	if got := testing.AllocsPerRun(100, func() { pc5s.Parse(b) }); got > 1 {
		t.Errorf("%v allocations, want 1", got)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, m := range messages() {
		in := pc5s.Marshal(m)
		b.Run(m.Type().String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				pc5s.Parse(in)
			}
		})
	}
}

func BenchmarkMarshal(b *testing.B) {
	for _, m := range messages() {
		b.Run(m.Type().String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				pc5s.Marshal(m)
			}
		})
	}
}
