package dataplane

import (
	"sync/atomic"
	"time"
)

// activity tells whether a worker is inside a batch: odd while it is. A worker takes what is
// published after begin and forgets it before end, so what was withdrawn before wait is in
// nobody's hands after it.
type activity struct{ turn atomic.Uint64 }

func (a *activity) begin() { a.turn.Add(1) }
func (a *activity) end()   { a.turn.Add(1) }

// wait returns when the batch under way, if any, has ended. A batch lasts about a millisecond.
func (a *activity) wait() {
	for at := a.turn.Load(); at%2 == 1 && a.turn.Load() == at; {
		time.Sleep(20 * time.Microsecond)
	}
}
