// Package soon tells a worker that waits in the kernel whether it is likely to be back soon, so that the runtime of
// Go need not hear of it.
//
// A system call that the runtime hears of costs more than itself: its monitor takes the processor (P) from a thread that
// waits, goes to sleep where all of them are idle, and is woken by whoever comes back first, before that one looks at
// its packet: a futex, an interrupt of another processor, a third thread on this one. Of a round trip through a quiet
// link that is a sixth. A thread that waits without saying so keeps its P instead; a signal, by which the runtime
// stops it, ends the wait.
//
// A P that is kept so is one that nobody else has. So only workers whose number is known may do it, and GOMAXPROCS is that
// much higher: those of a lane, not those of added ports, whose number is the provisioning's.
package soon

import "time"

// Span is how long a worker waits unheard. Chosen: as long as a goroutine may run before the runtime asks it to stop. Who
// sends a hundred packets a second is served at once, and a few keep-alives cost nothing.
const Span = 10 * time.Millisecond

// Expectation is of one goroutine, which waits again and again. Its zero value expects nothing.
type Expectation struct {
	came time.Time
	soon bool
}

// Left is for how long something is expected from now on: what came last came within a Span of what was before.
func (e *Expectation) Left(now time.Time) time.Duration {
	if !e.soon {
		return 0
	}
	return max(0, e.came.Add(Span).Sub(now))
}

// Came notes that something has come.
func (e *Expectation) Came(now time.Time) {
	e.soon = now.Sub(e.came) < Span
	e.came = now
}
