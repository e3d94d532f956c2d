package task

import (
	"sync"
	"time"
)

const (
	// An alarm in distant or more is put off to the next step of a grid, where it meets others: the processor
	// wakes up once for all of them. Keep-alives of many links are such.
	distant = 10 * time.Second
	grid    = time.Second
)

// Real is the Scheduler of a running daemon. The zero value is ready.
type Real struct {
	running sync.WaitGroup
	begin   sync.Once
	origin  time.Time // of the grid; by chance, so that the two ends of a link do not ask each other at once
}

// Now implements Scheduler.
func (s *Real) Now() time.Time { return time.Now() }

// NewQueue implements Scheduler.
func (s *Real) NewQueue(wake func()) Queue {
	s.begin.Do(func() { s.origin = s.Now() })
	return &queue{scheduler: s, wake: wake}
}

// Wait returns when no task runs; call it after every queue was closed.
func (s *Real) Wait() { s.running.Wait() }

// queue is a Queue; its goroutine lives from the first waiting task to the last.
type queue struct {
	scheduler *Real
	wake      func()

	mu      sync.Mutex // guards the fields below; never held while a task runs
	waiting []func()
	active  bool
	closed  bool
	alarm   *time.Timer
	serial  uint64 // of the alarm: an older one that fires late is nobody's
}

// Post implements Queue.
func (q *queue) Post(task func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.waiting = append(q.waiting, task)
	if !q.active {
		q.active = true
		q.scheduler.running.Go(q.drain)
	}
}

// drain runs tasks until none waits.
func (q *queue) drain() {
	for task := q.next(); task != nil; task = q.next() {
		task()
	}
}

func (q *queue) next() func() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.active, q.waiting = false, nil
		return nil
	}
	task := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	return task
}

// WakeAt implements Queue.
func (q *queue) WakeAt(at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.serial++
	if q.alarm != nil {
		q.alarm.Stop()
		q.alarm = nil
	}
	if at.IsZero() || q.closed {
		return
	}
	serial := q.serial
	q.alarm = time.AfterFunc(q.scheduler.delay(at), func() { q.Post(func() { q.fire(serial) }) })
}

// delay is how long an alarm waits.
func (s *Real) delay(at time.Time) time.Duration {
	d := at.Sub(s.Now())
	if over := at.Sub(s.origin) % grid; d >= distant && over > 0 {
		d += grid - over
	}
	return d
}

func (q *queue) fire(serial uint64) {
	q.mu.Lock()
	current := serial == q.serial && !q.closed
	q.mu.Unlock()
	if current {
		q.wake()
	}
}

// Close implements Queue.
func (q *queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.waiting = true, nil
	if q.alarm != nil {
		q.alarm.Stop()
		q.alarm = nil
	}
}
