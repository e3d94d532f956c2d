package pdcp

// bitmapLen is how far RX_DELIV trails RX_NEXT. Chosen: datagrams are delivered at once, in
// whatever order they come.
const bitmapLen = 64

// half is W, half the SN space (TS 38.323, 5.2.2.1).
const half = 1 << (snBits - 1)

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

// count finds the COUNT of an SN near RX_DELIV (TS 38.323, 5.2.2.1); false: it would be below 0
// or past the end.
func (w *window) count(sn uint16) (uint32, bool) {
	deliver := int64(w.deliver())
	hfn, ref := deliver>>snBits, deliver&snMask
	switch {
	case int64(sn) < ref-half:
		hfn++
	case int64(sn) >= ref+half:
		hfn--
	}
	c := hfn<<snBits | int64(sn)
	if hfn < 0 || c > 1<<32-1 {
		return 0, false
	}
	return uint32(c), true
}

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
