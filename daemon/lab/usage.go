package lab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Usage is what a process holds, as the kernel counts it.
type Usage struct {
	Descriptors int
	Threads     int
	Resident    int64 // octets
}

func (u Usage) String() string {
	return fmt.Sprintf("%d descriptors, %d threads, %.1f MiB resident", u.Descriptors, u.Threads, float64(u.Resident)/(1<<20))
}

// Usage looks at the running daemon from outside.
func (n *Node) Usage() (Usage, error) {
	if n.process == nil {
		return Usage{}, errors.New("the daemon does not run")
	}
	return n.process.Usage()
}

// Usage looks at the process from outside.
func (p *Process) Usage() (Usage, error) {
	proc := filepath.Join("/proc", strconv.Itoa(p.PID()))
	descriptors, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return Usage{}, err
	}
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		return Usage{}, err
	}
	u := Usage{Descriptors: len(descriptors)}
	for line := range bytes.Lines(status) {
		key, value, _ := strings.Cut(string(line), ":")
		number, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		switch key {
		case "Threads":
			u.Threads, err = strconv.Atoi(number)
		case "VmRSS":
			u.Resident, err = strconv.ParseInt(number, 10, 64)
			u.Resident <<= 10
		}
		if err != nil {
			return Usage{}, fmt.Errorf("%s: %w", key, err)
		}
	}
	return u, nil
}
