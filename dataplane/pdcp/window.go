package pdcp

// bitmapLen is how far RX_DELIV trails RX_NEXT. Chosen: datagrams are delivered at once, in
// whatever order they come.
const bitmapLen = 64

// window is the receiving state of a bearer.
type window struct {
	next uint64 // RX_NEXT: one more than the highest COUNT received
	seen uint64 // bit i: COUNT next-1-i was received
}

// deliver is RX_DELIV.
func (w *window) deliver() uint64 {
	if w.next < bitmapLen {
		return 0
	}
	return w.next - bitmapLen
}

// count finds the COUNT of an SN near RX_DELIV.
func (w *window) count(sn uint16) (uint32, bool) { return estimate(w.deliver(), uint32(sn), snBits) }

// take enters a verified COUNT; false: it is too old or was there before.
func (w *window) take(count uint32) bool {
	c := uint64(count)
	switch {
	case c < w.deliver():
		return false
	case c >= w.next:
		shift := c - w.next + 1
		if shift >= bitmapLen {
			w.seen = 0
		} else {
			w.seen <<= shift
		}
		w.seen |= 1
		w.next = c + 1
		return true
	}
	bit := uint64(1) << (w.next - 1 - c)
	if w.seen&bit != 0 {
		return false
	}
	w.seen |= bit
	return true
}
