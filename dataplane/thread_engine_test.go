package dataplane_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pc5d/dataplane/udp"
)

// TestSendingWorkerInterruptsNobody: an engine that runs has one thread more that waits for its turn.
func TestSendingWorkerInterruptsNobody(t *testing.T) {
	before := threadsOf(unix.SCHED_BATCH)
	run(t, newEnd(t, udp.NewNetwork(), outerA))
	waitFor(t, func() bool { return threadsOf(unix.SCHED_BATCH) == before+1 })
}

// threadsOf counts the threads of this process that have a scheduling policy.
func threadsOf(policy int) (n int) {
	stats, _ := filepath.Glob("/proc/self/task/*/stat")
	for _, name := range stats {
		b, _ := os.ReadFile(name) // it may have ended
		_, fields, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(fields); len(f) > 38 && f[38] == strconv.Itoa(policy) { // proc_pid_stat(5), field 41
			n++
		}
	}
	return n
}
