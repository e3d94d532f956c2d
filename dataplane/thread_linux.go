package dataplane

import (
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// preemptNobody lets the thread of a worker, when it wakes up, wait until whoever runs there has had his turn
// (SCHED_BATCH). Otherwise, where it wakes up on the processor of a sender of small packets, each packet written to
// the TUN interrupts the sender, and a turn moves one packet where ten could have come. A policy that somebody chose for
// the process stays. The thread must end with the worker.
func preemptNobody() error {
	a, err := unix.SchedGetAttr(0, 0)
	if err != nil || a.Policy != unix.SCHED_NORMAL {
		return os.NewSyscallError("sched_getattr", err)
	}
	var priority int32 // struct sched_param: the policy has no other
	_, _, errno := unix.RawSyscall(unix.SYS_SCHED_SETSCHEDULER, 0, unix.SCHED_BATCH, uintptr(unsafe.Pointer(&priority)))
	if errno != 0 {
		return os.NewSyscallError("sched_setscheduler", errno)
	}
	return nil
}

// pause leaves the processor for a while, and with it the thread: the scheduler of Go need not hear of so little. A signal
// ends it.
func pause(d time.Duration) {
	t := unix.NsecToTimespec(d.Nanoseconds())
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), 0, 0)
}
