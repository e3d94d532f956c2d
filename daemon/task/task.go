// Package task gives every owner of state a queue of its own: the tasks of one queue run one at
// a time, in the order in which they were posted, so what they touch needs no lock.
//
// Real runs them on goroutines that exist only while something waits: an idle link costs none.
// A simulation brings a Scheduler of its own, which runs all queues of all nodes on one
// goroutine and one virtual clock, in an order that its seed decides.
package task

import "time"

// Scheduler makes queues and tells the time.
type Scheduler interface {
	Now() time.Time
	// NewQueue makes a queue whose alarm runs wake, as one of its tasks.
	NewQueue(wake func()) Queue
}

// Queue runs tasks one at a time. Its methods never block and may be called by anyone, also
// from within a task.
type Queue interface {
	// Post appends a task; after Close it is dropped.
	Post(task func())
	// WakeAt sets the only alarm; the zero time takes it back. A wake-up may come late, never
	// early.
	WakeAt(at time.Time)
	// Close drops what waits. The task under way goes on to its end.
	Close()
}
