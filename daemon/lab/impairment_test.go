package lab

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// shuffled sends so many numbered packets, one in each microsecond, and gives the numbers that come out.
func shuffled(i Impairment, seed uint64, packets int) ([]int, Carried) {
	var out []int
	s := newShuffle(i, rand.New(rand.NewPCG(seed, 0)), func(b []byte) { out = append(out, int(binary.BigEndian.Uint32(b))) })
	now := time.Unix(0, 0)
	for n := range packets {
		s.take(binary.BigEndian.AppendUint32(nil, uint32(n)), now)
		now = now.Add(time.Microsecond)
		s.expire(now)
	}
	s.release()
	return out, s.done
}

// TestShuffle: only what is lost is missing, only what is doubled is there twice, nothing is later than it
// may be, and a seed does the same again.
func TestShuffle(t *testing.T) {
	const packets, depth = 20_000, 100
	for name, i := range map[string]Impairment{
		"nothing": {},
		"lost":    {Lose: 0.1},
		"doubled": {Double: 0.2, Depth: depth, Longest: time.Hour},
		"held":    {Hold: 0.5, Depth: depth, Longest: time.Hour},
		"all":     {Lose: 0.3, Double: 0.3, Hold: 0.3, Depth: depth, Longest: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			out, done := shuffled(i, 7, packets)
			again, _ := shuffled(i, 7, packets)
			if !slices.Equal(out, again) {
				t.Error("the same seed does something else")
			}
			if want := packets - int(done.Lost) + int(done.Doubled); len(out) != want || done.Packets != packets {
				t.Errorf("%d came of %+v, want %d", len(out), done, want)
			}
			for part, n := range map[float64]uint64{i.Lose: done.Lost, i.Double * (1 - i.Lose): done.Doubled, i.Hold * (1 - i.Lose): done.Held} {
				if got := float64(n) / packets; got < part-0.02 || got > part+0.02 {
					t.Errorf("%v of all instead of %v", got, part)
				}
			}
			most := 0
			for _, n := range out {
				if most-n > depth {
					t.Fatalf("packet %d comes after packet %d", n, most)
				}
				most = max(most, n)
			}
			if ordered := slices.IsSorted(out); ordered != (i.Double+i.Hold == 0) {
				t.Errorf("in order: %v", ordered)
			}
		})
	}
}

// TestShuffle_Longest: what is held leaves in time, though nothing overtakes it.
func TestShuffle_Longest(t *testing.T) {
	out := 0
	s := newShuffle(Impairment{Hold: 1, Depth: 10, Longest: time.Second}, rand.New(rand.NewPCG(1, 0)), func([]byte) { out++ })
	now := time.Unix(0, 0)
	for s.inside == 0 {
		s.take(nil, now)
	}
	before := out
	if s.expire(now.Add(time.Second - 1)); out != before {
		t.Error("it left too early")
	}
	if due := s.wake(); !due.Equal(now.Add(time.Second)) {
		t.Errorf("it leaves at %v", due)
	}
	if s.expire(s.wake()); s.inside != 0 || out != before+1 || !s.wake().IsZero() {
		t.Errorf("%d are still held, %d left", s.inside, out)
	}
}

// TestImpairment_Check: what means nothing is refused.
func TestImpairment_Check(t *testing.T) {
	for _, i := range []Impairment{{Lose: -0.1}, {Double: 1.1, Depth: 1, Longest: 1}, {Hold: 0.1, Longest: 1}, {Double: 0.1, Depth: 1}} {
		if i.check() == nil {
			t.Errorf("%+v is accepted", i)
		}
	}
	if err := (Impairment{Lose: 1}).check(); err != nil {
		t.Error(err)
	}
}
