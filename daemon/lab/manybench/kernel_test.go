package manybench

import (
	"os"
	"strings"
	"testing"
)

// TestMemory: the kernel's fields and no others are added.
func TestMemory(t *testing.T) {
	const meminfo = "MemTotal: 900 kB\nSlab: 10 kB\nSReclaimable: 5 kB\nKernelStack: 1 kB\nPageTables: 2 kB\nVmallocUsed: 3 kB\nPercpu: 4 kB\n"
	if n, err := parseMemory(strings.NewReader(meminfo)); err != nil || n != 20<<10 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := parseMemory(strings.NewReader("Slab: 10 kB\n")); err == nil {
		t.Error("fields are missing, and nothing is said")
	}
}

// TestRunTime: this process has run.
func TestRunTime(t *testing.T) {
	if d, err := runTime(os.Getpid()); err != nil || d <= 0 {
		t.Errorf("%v, %v", d, err)
	}
	if _, err := runTime(-1); err == nil {
		t.Error("a process that is not there has run")
	}
}
