package task_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pc5d/daemon/task"
)

func TestQueue_RunsInOrderAndOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s task.Real
		q := s.NewQueue(func() {})
		var order []int // only the queue's tasks touch it
		var inside atomic.Int32
		for i := range 100 {
			q.Post(func() {
				if inside.Add(1) != 1 {
					t.Error("two tasks of one queue overlap")
				}
				order = append(order, i)
				time.Sleep(time.Millisecond)
				inside.Add(-1)
			})
		}
		s.Wait()
		for i, got := range order {
			if got != i {
				t.Fatalf("task %d ran as number %d", got, i)
			}
		}
		if len(order) != 100 {
			t.Errorf("%d of 100 tasks ran", len(order))
		}
	})
}

func TestQueue_AlarmIsReplacedAndTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s task.Real
		var woken []time.Duration
		begin := s.Now()
		q := s.NewQueue(func() { woken = append(woken, s.Now().Sub(begin)) })
		q.WakeAt(begin.Add(time.Second))
		q.WakeAt(begin.Add(2 * time.Second))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		q.WakeAt(begin.Add(4 * time.Second))
		q.WakeAt(time.Time{})
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if len(woken) != 1 || woken[0] != 2*time.Second {
			t.Errorf("woken after %v, want once after 2s", woken)
		}
	})
}

func TestQueue_CloseDropsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s task.Real
		var q task.Queue
		ran := 0
		q = s.NewQueue(func() { ran++ })
		q.WakeAt(s.Now().Add(time.Second))
		q.Post(func() { ran++; q.Close(); q.Post(func() { ran++ }) })
		q.Post(func() { ran++ })
		time.Sleep(2 * time.Second)
		s.Wait()
		if ran != 1 {
			t.Errorf("%d tasks ran, want the one that closed the queue", ran)
		}
	})
}

// TestQueue_DistantAlarmsMeet: alarms that are far away go off together, never early and at most a second late;
// near ones keep their time.
func TestQueue_DistantAlarmsMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s task.Real
		begin := s.Now()
		var mu sync.Mutex // the queues are not one
		woken := map[time.Duration]int{}
		wait := func(alarms ...time.Duration) {
			for _, d := range alarms {
				s.NewQueue(func() {
					mu.Lock()
					defer mu.Unlock()
					woken[s.Now().Sub(begin)]++
				}).WakeAt(begin.Add(d))
				synctest.Wait()
			}
		}
		wait(59001*time.Millisecond, 59500*time.Millisecond, time.Minute, 60001*time.Millisecond, 9999*time.Millisecond)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(woken) != 3 || woken[time.Minute] != 3 || woken[61*time.Second] != 1 || woken[9999*time.Millisecond] != 1 {
			t.Errorf("woken %v", woken)
		}
	})
}
