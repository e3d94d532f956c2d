package dataplane_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pc5d/dataplane/udp"
)

// TestSendingWorkerInterruptsNobody: an engine that runs has a thread that waits for its turn.
func TestSendingWorkerInterruptsNobody(t *testing.T) {
	before := threadsOf(unix.SCHED_BATCH) // of tests before; they may end meanwhile
	run(t, newEnd(t, udp.NewNetwork(), outerA))
	waitFor(t, func() bool {
		return slices.ContainsFunc(threadsOf(unix.SCHED_BATCH), func(name string) bool { return !slices.Contains(before, name) })
	})
}

// threadsOf names the threads of this process that have a scheduling policy.
func threadsOf(policy int) (names []string) {
	stats, _ := filepath.Glob("/proc/self/task/*/stat")
	for _, name := range stats {
		b, _ := os.ReadFile(name) // it may have ended
		_, fields, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(fields); len(f) > 38 && f[38] == strconv.Itoa(policy) { // proc_pid_stat(5), field 41
			names = append(names, name)
		}
	}
	return names
}
