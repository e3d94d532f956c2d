package record

import "fmt"

// DefaultWindow is the size of the replay window of user data, in records.
const DefaultWindow = 8192

// Verdict is what a Window says about a COUNT.
type Verdict uint8

const (
	Fresh    Verdict = iota // not seen
	Repeated                // taken before
	Old                     // behind the window: it may have been taken
)

// Window remembers which of the last COUNTs were taken. One goroutine at a time uses it.
//
// A sender may jump forward by more than the window (identifier update). The records from just
// before such a jump may still be under way, maybe through another socket, so the window goes on
// where it stood, too, until it has moved by its size after the jump:
//
//	     |<- size ->|            |<- size ->|
//	.....[  before  >.............[   now   >     > open ahead
//	                 next        floor      next
type Window struct {
	now    stretch
	before stretch // where the window stood before the last jump
	floor  Count   // lowest COUNT of now at the jump: before takes none from here on
	until  Count   // before is closed when now.next is higher
}

// stretch is one place where a window is open.
type stretch struct {
	next Count    // highest COUNT taken, plus one; 0: none yet
	bits []uint64 // ring: COUNT modulo the size
}

// NewWindow makes a window of size COUNTs, a power of two from 64 to 65536.
func NewWindow(size int) *Window {
	if size < 64 || size > 1<<16 || size&(size-1) != 0 {
		panic(fmt.Sprintf("BUG: replay window of %d records", size))
	}
	words := size / 64
	bits := make([]uint64, 2*words)
	return &Window{now: stretch{bits: bits[:words:words]}, before: stretch{bits: bits[words:]}}
}

// Next is the highest COUNT taken, plus one; 0 where none was.
func (w *Window) Next() Count { return w.now.next }

// Check judges c and changes nothing: it may be asked before the tag is verified.
func (w *Window) Check(c Count) Verdict {
	if c >= w.now.next {
		return Fresh
	}
	if w.now.holds(c) {
		return w.now.verdict(c)
	}
	return w.late(c)
}

// late judges a COUNT behind now.
func (w *Window) late(c Count) Verdict {
	switch {
	case c >= w.floor || w.now.next > w.until:
		return Old
	case c >= w.before.next && c-w.before.next < w.before.size():
		return Fresh
	case w.before.holds(c):
		return w.before.verdict(c)
	}
	return Old
}

// Commit takes c if it is fresh. Only for a record whose tag verified.
func (w *Window) Commit(c Count) Verdict {
	switch {
	case c >= w.now.next && c-w.now.next >= w.now.size():
		w.jump(c)
	case c >= w.now.next:
		w.now.advance(c)
	case !w.now.holds(c):
		return w.commitLate(c)
	}
	return w.now.take(c)
}

func (w *Window) commitLate(c Count) Verdict {
	if v := w.late(c); v != Fresh {
		return v
	}
	if c >= w.before.next {
		w.before.advance(c)
	}
	return w.before.take(c)
}

// jump opens the window at c as well.
func (w *Window) jump(c Count) {
	w.before, w.now = w.now, w.before
	clear(w.now.bits)
	w.now.next = c + 1
	w.floor, w.until = w.now.next-w.now.size(), w.now.next+w.now.size()
}

func (s *stretch) size() Count { return Count(len(s.bits)) * 64 }

// holds reports whether c is one of the last COUNTs up to the highest.
func (s *stretch) holds(c Count) bool { return c < s.next && s.next-c <= s.size() }

func (s *stretch) verdict(c Count) Verdict {
	if s.bits[s.word(c)]&(1<<(c%64)) != 0 {
		return Repeated
	}
	return Fresh
}

// take takes a COUNT that the stretch holds.
func (s *stretch) take(c Count) Verdict {
	v := s.verdict(c)
	s.bits[s.word(c)] |= 1 << (c % 64)
	return v
}

func (s *stretch) word(c Count) Count { return c / 64 & Count(len(s.bits)-1) }

// advance makes c, less than the size ahead, the highest: the COUNTs up to it take the places of
// those that leave at the other end.
func (s *stretch) advance(c Count) {
	for at := s.next; at <= c; {
		low := at % 64
		n := min(64-low, c-at+1)
		mask := ^uint64(0) >> (64 - n) << low
		s.bits[s.word(at)] &^= mask
		at += n
	}
	s.next = c + 1
}
