package sim

import (
	"slices"
	"time"

	"pc5d/daemon/task"
)

// scheduler is the task.Scheduler of one run of a daemon.
type scheduler struct {
	world  *World
	queues []*queue // open ones
}

// Now implements task.Scheduler. It is the monotonic clock: jumps of the wall clock do not
// reach it.
func (s *scheduler) Now() time.Time { return s.world.now }

// NewQueue implements task.Scheduler.
func (s *scheduler) NewQueue(wake func()) task.Queue {
	q := &queue{scheduler: s, wake: wake}
	s.queues = append(s.queues, q)
	return q
}

// kill drops everything that waits: the process is gone.
func (s *scheduler) kill() {
	for _, q := range slices.Clone(s.queues) {
		q.Close()
	}
}

// queue is a task.Queue of the world.
type queue struct {
	scheduler *scheduler
	wake      func()
	tasks     []func()
	closed    bool
	alarm     uint64 // serial of the alarm that counts; an older one finds another number
	at        time.Time
}

// Post implements task.Queue.
func (q *queue) Post(task func()) {
	if q.closed {
		return
	}
	q.tasks = append(q.tasks, task)
	if w := q.scheduler.world; len(q.tasks) == 1 {
		w.ready = append(w.ready, q)
	}
}

// WakeAt implements task.Queue. As the real one, an alarm that was set anew after it fired, but
// before its task ran, does not wake.
func (q *queue) WakeAt(at time.Time) {
	if at.Equal(q.at) && !at.IsZero() {
		return
	}
	q.alarm++
	q.at = at
	if at.IsZero() || q.closed {
		return
	}
	alarm, w := q.alarm, q.scheduler.world
	w.at(at.Add(w.between(0, w.Late)), func() {
		if q.alarm != alarm || q.closed {
			return
		}
		q.Post(func() {
			if q.alarm == alarm {
				q.at = time.Time{}
				q.wake()
			}
		})
	})
}

// Close implements task.Queue.
func (q *queue) Close() {
	if q.closed {
		return
	}
	q.alarm++
	q.closed, q.tasks, q.at = true, nil, time.Time{}
	same := func(o *queue) bool { return o == q }
	w := q.scheduler.world
	w.ready = slices.DeleteFunc(w.ready, same)
	q.scheduler.queues = slices.DeleteFunc(q.scheduler.queues, same)
}

// run takes the next task.
func (q *queue) run() {
	task := q.tasks[0]
	q.tasks = q.tasks[1:]
	if len(q.tasks) == 0 {
		w := q.scheduler.world
		w.ready = slices.DeleteFunc(w.ready, func(o *queue) bool { return o == q })
	}
	task()
}
