package record

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// modelWindow is the slow reference: it remembers everything.
type modelWindow struct {
	size  Count
	high  Count
	any   bool
	taken map[Count]bool
}

func (m *modelWindow) check(c Count) Verdict {
	if !m.any || c > m.high {
		return Fresh
	}
	if m.high-c >= m.size {
		return Old
	}
	if m.taken[c] {
		return Repeated
	}
	return Fresh
}

func (m *modelWindow) commit(c Count) Verdict {
	if v := m.check(c); v != Fresh {
		return v
	}
	m.taken[c] = true
	m.high, m.any = max(m.high, c), true
	return Fresh
}

func TestT52WindowAgainstModel(t *testing.T) {
	for _, size := range []int{64, 128, 8192} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w, m := NewWindow(size), &modelWindow{size: Count(size), taken: map[Count]bool{}}
				at := Count(0)
				for range rapid.IntRange(1, 300).Draw(t, "steps") {
					switch rapid.IntRange(0, 5).Draw(t, "kind") {
					case 0:
						at = Count(rapid.Uint64Range(0, 1<<48-1).Draw(t, "anywhere"))
					case 1:
						at -= min(at, Count(rapid.IntRange(0, 2*size).Draw(t, "back")))
					case 2:
						at = min(at+Count(rapid.IntRange(0, 2*size).Draw(t, "ahead")), 1<<48-1)
					default:
						at = min(at+1, 1<<48-1)
					}
					if got, want := w.Check(at), m.check(at); got != want {
						t.Fatalf("Check(%d) = %d, want %d", at, got, want)
					}
					if rapid.Bool().Draw(t, "verified") {
						if got, want := w.Commit(at), m.commit(at); got != want {
							t.Fatalf("Commit(%d) = %d, want %d", at, got, want)
						}
					}
				}
			})
		})
	}
}

func TestT52CountZeroIsValidOnce(t *testing.T) {
	w := NewWindow(64)
	if w.Check(0) != Fresh || w.Commit(0) != Fresh || w.Check(0) != Repeated || w.Commit(0) != Repeated {
		t.Fatal("COUNT 0 is not taken exactly once")
	}
}

func TestT52WindowEdges(t *testing.T) {
	w := NewWindow(8192)
	w.Commit(10000)
	for c, want := range map[Count]Verdict{10000: Repeated, 10001: Fresh, 1809: Fresh, 1808: Old, 0: Old, 1<<48 - 1: Fresh} {
		if got := w.Check(c); got != want {
			t.Errorf("Check(%d) = %d, want %d", c, got, want)
		}
	}
}

func TestNewWindowSizes(t *testing.T) {
	for _, size := range []int{0, 63, 100, 1 << 17} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewWindow(%d) did not panic", size)
				}
			}()
			NewWindow(size)
		}()
	}
}

func BenchmarkWindow(b *testing.B) {
	w := NewWindow(DefaultWindow)
	for c := Count(0); b.Loop(); c++ {
		w.Check(c)
		w.Commit(c)
	}
}
