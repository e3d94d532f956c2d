package host_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pc5d/daemon/host"
)

// childWord tells this test binary to be the process whose memory is sealed.
const childWord = "PC5D_TEST_SEALED"

func TestMain(m *testing.M) {
	if os.Getenv(childWord) != "" {
		host.SealMemory(slog.New(slog.NewTextHandler(os.Stderr, nil)))
		dumpable, _ := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		fmt.Println("sealed", dumpable)
		io.ReadAll(os.Stdin) // until the test has looked
		return
	}
	os.Exit(m.Run())
}

// sealed starts a process with sealed memory, by a command of the shell in which $0 is the process;
// it returns its number and what it logged.
func sealed(t *testing.T, command string) (pid int, logged func() string) {
	t.Helper()
	c := exec.Command("sh", "-c", command, os.Args[0])
	c.Env = append(os.Environ(), childWord+"=1")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	c.Stderr = &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "sealed 0\n" {
		t.Errorf("%q, %v", line, err)
	}
	stop := func() string {
		in.Close()
		c.Wait()
		return log.String()
	}
	t.Cleanup(func() { stop() })
	return c.Process.Pid, stop
}

// field is a line of a file in /proc by its name.
func field(t *testing.T, pid int, file, name string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.Join(strings.Fields(rest), " ")
		}
	}
	t.Fatalf("/proc/%d/%s has no %q", pid, file, name)
	return ""
}

// TestT71_MemoryStaysHere: read back from /proc: no core file, not readable by the same user, and
// everything in use is locked.
func TestT71_MemoryStaysHere(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("locking all memory needs root here")
	}
	pid, stop := sealed(t, `ulimit -c unlimited; exec "$0"`)
	if l := field(t, pid, "limits", "Max core file size"); !strings.HasPrefix(l, "0 0 ") {
		t.Errorf("core file size: %s", l)
	}
	locked, resident := field(t, pid, "status", "VmLck:"), field(t, pid, "status", "VmRSS:")
	if locked == "0 kB" {
		t.Errorf("locked %s of %s", locked, resident)
	}
	if said := stop(); said != "" {
		t.Errorf("it complained: %s", said)
	}
}

// TestT71_WithoutTheRight: under a finite limit nothing is locked, the daemon lives, and a line says
// what is missing.
func TestT71_WithoutTheRight(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("dropping a capability needs root")
	}
	pid, stop := sealed(t, `exec setpriv --bounding-set -ipc_lock "$0"`)
	if locked := field(t, pid, "status", "VmLck:"); locked != "0 kB" {
		t.Errorf("locked %s", locked)
	}
	if said := stop(); !strings.Contains(said, "LimitMEMLOCK=infinity") || strings.Count(said, "\n") != 1 {
		t.Errorf("it said %q", said)
	}
}
