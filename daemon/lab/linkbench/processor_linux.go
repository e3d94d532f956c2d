package linkbench

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the kernel's processor times in /proc: USER_HZ, 100 on every architecture.
const tick = time.Second / 100

// processorTime is the user and system time of a process so far.
func processorTime(pid int) (time.Duration, error) {
	path := fmt.Sprintf("/proc/%d/stat", pid)
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	d, err := parseProcess(b)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// parseProcess skips the command, which may hold anything, to its last parenthesis.
func parseProcess(stat []byte) (time.Duration, error) {
	_, rest, _ := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("too few fields")
	}
	return ticks(fields[11:13]) // utime and stime, fields 14 and 15 of proc_pid_stat(5)
}

// busyTime is what all processors of the machine did so far that was not waiting: also the kernel's
// interrupts, the traffic's ends, and whatever else runs here.
func busyTime() (time.Duration, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	d, err := parseMachine(b)
	if err != nil {
		return 0, fmt.Errorf("/proc/stat: %w", err)
	}
	return d, nil
}

// parseMachine adds user, nice, system, irq and softirq of the first line; not idle, iowait and what
// a hypervisor took.
func parseMachine(stat []byte) (time.Duration, error) {
	line, _, _ := strings.Cut(string(stat), "\n")
	fields := strings.Fields(line)
	if len(fields) < 8 || fields[0] != "cpu" {
		return 0, errors.New("no line of all processors")
	}
	return ticks([]string{fields[1], fields[2], fields[3], fields[6], fields[7]})
}

func ticks(fields []string) (sum time.Duration, err error) {
	for _, f := range fields {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}
