package record

import (
	"errors"
	"sync/atomic"
)

// Count is the COUNT of a record, 48 bits. It starts at 0 and never repeats under one key.
type Count uint64

// Limit is the first COUNT that is never used: a key ends before it.
const Limit Count = 1<<48 - 1<<16

// ErrLimit says that a key has no COUNT left.
var ErrLimit = errors.New("record: the key has used up its COUNTs: rekey the link")

// Counter gives out the COUNTs of one key, each once. It is part of the key object, so that a
// COUNT can not be used with another key than it was reserved for.
type Counter struct {
	next  atomic.Uint64
	limit uint64
}

// NewCounter makes a counter that ends before limit; production code passes Limit.
func NewCounter(limit Count) *Counter { return &Counter{limit: uint64(min(limit, Limit))} }

// Reserve takes n consecutive COUNTs. Where fewer are left it takes those; at the limit it
// takes none, for good.
func (c *Counter) Reserve(n int) (first Count, granted int) {
	if n <= 0 {
		return 0, 0
	}
	for {
		at := c.next.Load()
		if at >= c.limit {
			return 0, 0
		}
		take := min(uint64(n), c.limit-at)
		if c.next.CompareAndSwap(at, at+take) {
			return Count(at), int(take)
		}
	}
}

// Skip moves on by n COUNTs, which are never given out. Where fewer than n are left the counter is
// at its limit afterwards, for good: nothing wraps.
func (c *Counter) Skip(n uint64) {
	for {
		at := c.next.Load()
		to := c.limit
		if n < c.limit-at {
			to = at + n
		}
		if c.next.CompareAndSwap(at, to) {
			return
		}
	}
}

// Used is the number of COUNTs given out or skipped.
func (c *Counter) Used() uint64 { return c.next.Load() }
