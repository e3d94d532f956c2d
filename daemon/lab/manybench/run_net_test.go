//go:build net

package manybench

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestRun_ManyLinks: 200 links of two daemons come up, carry packets and end in time; what they hold is bounded
// loosely, because other tests run beside this one.
func TestRun_ManyLinks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("network namespaces and TUN interfaces need root")
	}
	program := filepath.Join(t.TempDir(), "pc5d")
	if out, err := exec.Command("go", "build", "-o", program, "pc5d/cmd/pc5d").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	r, err := Run(t.Context(), Config{Program: program, Links: 200, Idle: 2 * time.Second, KeepAlive: time.Minute, Progress: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := r.Print(&out); err != nil {
		t.Error(err)
	}
	t.Logf("\n%s", out.String())
	if r.Created > 4*time.Second || r.Established > 20*time.Second || r.Resident > 60<<20 || r.Idle > 5 || r.Ping <= 0 {
		t.Errorf("%+v", r)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
