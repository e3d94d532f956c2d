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
	for _, m := range messages() {
		b := pc5s.Marshal(m)
		if got, want := testing.AllocsPerRun(100, func() { pc5s.Parse(b) }), float64(1+held(m)); got > want {
			t.Errorf("%s: Parse allocates %v times, want %v", m.Type(), got, want)
		}
		if got, want := testing.AllocsPerRun(100, func() { pc5s.Marshal(m) }), float64(1+len(b)/256); got > want {
			t.Errorf("%s: Marshal allocates %v times, want %v", m.Type(), got, want)
		}
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
