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

// Window remembers which of the last COUNTs were taken. One goroutine owns it.
type Window struct {
	next Count    // highest COUNT taken, plus one; 0: none yet
	bits []uint64 // ring: COUNT modulo the size
}

// NewWindow makes a window of size COUNTs, a power of two from 64 to 65536.
func NewWindow(size int) *Window {
	if size < 64 || size > 1<<16 || size&(size-1) != 0 {
		panic(fmt.Sprintf("BUG: replay window of %d records", size))
	}
	return &Window{bits: make([]uint64, size/64)}
}

// Check judges c and changes nothing: it may be asked before the tag is verified.
func (w *Window) Check(c Count) Verdict {
	if c >= w.next {
		return Fresh
	}
	if w.next-c > w.size() {
		return Old
	}
	if w.bits[w.word(c)]&(1<<(c%64)) != 0 {
		return Repeated
	}
	return Fresh
}

// Commit takes c if it is fresh. Only for a record whose tag verified.
func (w *Window) Commit(c Count) Verdict {
	if v := w.Check(c); v != Fresh {
		return v
	}
	if c >= w.next {
		w.forget(w.next, c)
		w.next = c + 1
	}
	w.bits[w.word(c)] |= 1 << (c % 64)
	return Fresh
}

func (w *Window) size() Count { return Count(len(w.bits)) * 64 }

func (w *Window) word(c Count) Count { return c / 64 & Count(len(w.bits)-1) }

// forget clears the places of the COUNTs from first to last, which leave the window's other
// end when last becomes the highest.
func (w *Window) forget(first, last Count) {
	if last-first >= w.size() {
		clear(w.bits)
		return
	}
	for c := first; c <= last; {
		low := c % 64
		n := min(64-low, last-c+1)
		mask := ^uint64(0) >> (64 - n) << low
		w.bits[w.word(c)] &^= mask
		c += n
	}
}
