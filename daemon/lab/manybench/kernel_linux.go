package manybench

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// kernelFields of /proc/meminfo are memory that the kernel has for itself.
const kernelFields = " Slab KernelStack PageTables Percpu VmallocUsed "

// kernelMemory is what the kernel has for itself on this machine, in octets.
func kernelMemory() (int64, error) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return parseMemory(f)
}

func parseMemory(meminfo io.Reader) (sum int64, err error) {
	found := 0
	for s := bufio.NewScanner(meminfo); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), ":")
		if !strings.Contains(kernelFields, " "+name+" ") {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/meminfo: %s: %w", name, err)
		}
		sum += n << 10
		found++
	}
	if found != len(strings.Fields(kernelFields)) {
		return 0, errors.New("/proc/meminfo lacks fields")
	}
	return sum, nil
}

// runTime is how long the threads of a process have run, to the nanosecond; threads that ended are left out.
func runTime(pid int) (sum time.Duration, err error) {
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		word, _, _ := strings.Cut(string(b), " ")
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		sum += time.Duration(n)
	}
	if sum == 0 {
		return 0, fmt.Errorf("process %d: nothing known of its threads", pid)
	}
	return sum, nil
}
