package main_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pc5d/daemon/auth"
)

// TestRefusals: whatever is missing or wrong at the start is one clear sentence and an exit code
// other than 0, and neither socket nor temporary file is left behind.
func TestRefusals(t *testing.T) {
	bin := build(t)
	busy, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for _, c := range []struct {
		name, config, want string
		mode               os.FileMode
		noKey              bool
	}{
		{"no file", "", "does not exist", 0o600, false},
		{"bad word", "[node]\nname = \"alice\"\nidentity = \"key\"\nlissten = \"[::]:1\"\n", "pc5d.toml:4:1", 0o600, false},
		{"no key", "[node]\nname = \"alice\"\nidentity = \"key\"\n", "pc5ctl key gen", 0o600, true},
		{"key readable by others", "[node]\nname = \"alice\"\nidentity = \"key\"\n", "chmod 600", 0o644, false},
		{"no certificate", "[node]\nname = \"alice\"\nidentity = \"key\"\ncertificate = \"alice.crt\"\n", "alice.crt does not exist", 0o600, false},
		{"a key for a CA", "[node]\nname = \"alice\"\nidentity = \"key\"\nca = [\"key\"]\n", "only \"CERTIFICATE\" belongs there", 0o600, false},
		{"port in use", "[node]\nname = \"alice\"\nidentity = \"key\"\nlisten = \"" + busy.LocalAddr().String() + "\"\n", "address already in use", 0o600, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			config, key := filepath.Join(dir, "pc5d.toml"), filepath.Join(dir, "key")
			if c.config != "" {
				if err := os.WriteFile(config, []byte(c.config), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if !c.noKey {
				if _, err := auth.GenerateKey(key); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(key, c.mode); err != nil {
					t.Fatal(err)
				}
			}
			refused(t, exec.Command(bin, "--config", config, "--socket", filepath.Join(dir, "s"), "--state", filepath.Join(dir, "state")), c.want)
			left, err := filepath.Glob(filepath.Join(dir, "*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range left {
				if f != config && f != key {
					t.Errorf("left behind: %s", f)
				}
			}
		})
	}
}

// build makes the daemon.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "pc5d")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	return bin
}

// refused runs a daemon that must end by itself with one line and an exit code other than 0.
func refused(t *testing.T, c *exec.Cmd, want string) {
	t.Helper()
	out, err := c.CombinedOutput()
	if err == nil || !strings.Contains(string(out), want) || strings.Count(strings.TrimSpace(string(out)), "\n") > 0 {
		t.Errorf("got %v, %q; want one line with %q", err, out, want)
	}
}

// TestRefusals_Metrics: an address of the metrics that is in use is refused the same way, and the control
// socket is not left behind.
func TestRefusals_Metrics(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the daemon asks for the host's routes before")
	}
	bin, dir := build(t), t.TempDir()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	config, socket := filepath.Join(dir, "pc5d.toml"), filepath.Join(dir, "s")
	text := "[node]\nname = \"alice\"\nidentity = \"key\"\nlisten = \"127.0.0.1:0\"\nmetrics = \"" + busy.Addr().String() + "\"\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.GenerateKey(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	refused(t, exec.Command(bin, "--config", config, "--socket", socket, "--state", filepath.Join(dir, "state")), "node.metrics: listen tcp "+busy.Addr().String())
	if _, err := os.Lstat(socket); err == nil {
		t.Error("the control socket is left behind")
	}
}

const withLink = `[node]
name = "alice"
identity = "key"
listen = "127.0.0.1:0"
[[link]]
name = "bob"
pin = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
addresses = ["10.5.0.1/32"]
allowed = ["10.5.0.2/32"]
`

// TestRefusals_Host: what the host does not give is refused the same way. Each daemon has
// network and mount namespaces of its own, so nothing that it leaves outlives it.
func TestRefusals_Host(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("making namespaces and dropping privileges need root")
	}
	bin, dir := build(t), t.TempDir()
	config := filepath.Join(dir, "pc5d.toml")
	if err := os.WriteFile(config, []byte(withLink), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.GenerateKey(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	run := bin + " --config " + config + " --socket " + filepath.Join(dir, "s") + " --state " + filepath.Join(dir, "state")
	for _, c := range []struct{ name, before, want string }{
		{"no TUN", "mount -t tmpfs none /dev/net && exec ", "/dev/net/tun does not exist"},
		{"no privilege", "exec setpriv --bounding-set -net_admin ", "CAP_NET_ADMIN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			command := exec.Command("sh", "-c", c.before+run)
			command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET, Unshareflags: syscall.CLONE_NEWNS}
			refused(t, command, c.want)
		})
	}
}
