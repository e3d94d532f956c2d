package authbench

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is the processor time of this process so far, of all its threads.
func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic("BUG: authbench: getrusage: " + err.Error()) // it fails for wrong arguments only
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cost is the processor time of some work.
func cost(work func() error) (time.Duration, error) {
	before := cpuTime()
	err := work()
	return cpuTime() - before, err
}

// repeat makes work out of so many of one kind.
func repeat(n int, one func() error) func() error {
	return func() error {
		for range n {
			if err := one(); err != nil {
				return err
			}
		}
		return nil
	}
}

// median of values, of which there is at least one. It sorts them.
func median[T ~int64 | ~float64](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
