package record

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// modelWindow is the slow reference: it remembers everything.
type modelWindow struct {
	size  Count
	next  Count // highest plus one
	mark  Count // highest plus one of what is below the last jump
	jump  Count // where that jump went; 0: none, or long ago
	taken map[Count]bool
}

func (m *modelWindow) check(c Count) Verdict {
	inside := c >= m.next || m.next-c <= m.size
	late := m.jump > 0 && c <= m.jump-m.size && c < m.mark+m.size && c+m.size >= m.mark
	if !inside && !late {
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
	switch {
	case c < m.next:
		if c <= m.jump-m.size {
			m.mark = max(m.mark, c+1)
		}
		return Fresh
	case c-m.next >= m.size:
		m.mark, m.jump = m.next, c
	case c-m.jump > m.size:
		m.jump = 0
	}
	m.next = c + 1
	return Fresh
}

func TestT52WindowAgainstModel(t *testing.T) {
	for _, size := range []int{64, 128, 8192} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w, m := NewWindow(size), &modelWindow{size: Count(size), taken: map[Count]bool{}}
				at, left := Count(0), Count(0)
				for range rapid.IntRange(1, 300).Draw(t, "steps") {
					switch rapid.IntRange(0, 6).Draw(t, "kind") {
					case 0:
						left = at
						at = Count(rapid.Uint64Range(0, 1<<48-1).Draw(t, "anywhere"))
					case 1:
						at -= min(at, Count(rapid.IntRange(0, 2*size).Draw(t, "back")))
					case 2:
						at = min(at+Count(rapid.IntRange(0, 2*size).Draw(t, "ahead")), 1<<48-1)
					case 3: // late records from before a jump
						at, left = left-min(left, Count(rapid.IntRange(0, 2*size).Draw(t, "late"))), at
					default:
						at = min(at+1, 1<<48-1)
					}
					if got, want := w.Check(at), m.check(at); got != want {
						t.Fatalf("Check(%d) = %d, want %d", at, got, want)
					}
					before := m.taken[at]
					if rapid.Bool().Draw(t, "verified") {
						if got, want := w.Commit(at), m.commit(at); got != want {
							t.Fatalf("Commit(%d) = %d, want %d", at, got, want)
						} else if before && got == Fresh {
							t.Fatalf("COUNT %d was taken twice", at)
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
	w.Commit(5000)
	w.Commit(10000)
	for c, want := range map[Count]Verdict{5000: Repeated, 10000: Repeated, 10001: Fresh, 1809: Fresh, 1808: Old, 0: Old, 1<<48 - 1: Fresh} {
		if got := w.Check(c); got != want {
			t.Errorf("Check(%d) = %d, want %d", c, got, want)
		}
	}
}

// A sender that jumps (identifier update) loses nothing that was under way, and nothing comes twice;
// once the window moved on by its size, what was before the jump is old.
func TestT52WindowAfterAJump(t *testing.T) {
	const jump = 1 << 32
	w := NewWindow(64)
	for c := range Count(100) {
		if c != 90 && c != 40 {
			w.Commit(c)
		}
	}
	w.Commit(jump)
	for c, want := range map[Count]Verdict{
		35: Old, 36: Repeated, 40: Fresh, 90: Fresh, 91: Repeated, 100: Fresh, 163: Fresh, 164: Old,
		jump - 64: Old, jump - 63: Fresh, jump - 1: Fresh, jump: Repeated,
	} {
		if got := w.Check(c); got != want {
			t.Errorf("Check(%d) = %d after the jump, want %d", c, got, want)
		}
	}
	for _, c := range []Count{90, 103, 101} {
		if w.Commit(c) != Fresh || w.Commit(c) != Repeated {
			t.Errorf("late COUNT %d is not taken exactly once", c)
		}
	}
	w.Commit(jump + 64)
	if got := w.Check(102); got != Fresh {
		t.Errorf("Check(102) = %d inside the time for late records, want %d", got, Fresh)
	}
	w.Commit(jump + 65)
	if got := w.Check(102); got != Old {
		t.Errorf("Check(102) = %d after the window moved on, want %d", got, Old)
	}
	if w.Next() != jump+66 {
		t.Errorf("Next = %d", w.Next())
	}
}

// A jump as the first thing that arrives, and a short one: what lies between is taken once, though
// two stretches could claim it.
func TestT52WindowJumpsOverLittle(t *testing.T) {
	w := NewWindow(64)
	w.Commit(70) // from 0: now holds 7 to 70
	for c := range Count(71) {
		if got, want := w.Commit(c), map[bool]Verdict{true: Repeated, false: Fresh}[c == 70]; got != want {
			t.Errorf("Commit(%d) = %d, want %d", c, got, want)
		}
	}
	for c := Count(71); c < 134; c++ {
		w.Commit(c)
	}
	for c := range Count(134) {
		if w.Check(c) == Fresh {
			t.Errorf("COUNT %d could be taken twice", c)
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
