package dataplane

import (
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestPreemptNobody: the thread of a worker is one that waits for its turn and keeps its nice value, and a policy that was
// chosen before stays.
func TestPreemptNobody(t *testing.T) {
	for chosen, want := range map[int]int{unix.SCHED_NORMAL: unix.SCHED_BATCH, unix.SCHED_IDLE: unix.SCHED_IDLE} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread() // never unlocked: the thread ends with its policy
			var priority int32
			_, _, errno := unix.RawSyscall(unix.SYS_SCHED_SETSCHEDULER, 0, uintptr(chosen), uintptr(unsafe.Pointer(&priority)))
			if errno != 0 {
				t.Errorf("choose policy %d: %v", chosen, errno)
				return
			}
			if err := unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 5); err != nil {
				t.Error(err)
			}
			if err := preemptNobody(); err != nil {
				t.Error(err)
			}
			a, err := unix.SchedGetAttr(0, 0)
			if err != nil || int(a.Policy) != want || a.Nice != 5 {
				t.Errorf("chosen %d: policy %d, nice %d, %v", chosen, a.Policy, a.Nice, err)
			}
		}()
		<-done
	}
}
