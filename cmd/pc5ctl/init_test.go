package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pc5d/daemon/auth"
	"pc5d/policy/provision"
)

// TestT70_Init: the first call makes a private key and a file that loads; a second one changes
// nothing and shows the same.
func TestT70_Init(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pc5")
	old := syscall.Umask(0) // whatever it is
	defer syscall.Umask(old)
	var first, second bytes.Buffer
	if err := initialize(&first, dir, "zoë \"z\"", nil); err != nil {
		t.Fatal(err)
	}
	key, config := filepath.Join(dir, identityFile), filepath.Join(dir, provisioningFile)
	info, err := os.Stat(key)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	fp, err := auth.KeyFingerprint(key)
	if err != nil || !strings.Contains(first.String(), fp.String()) || !strings.Contains(first.String(), fp.Aloud()) {
		t.Errorf("%v: %s", err, first.String())
	}
	p, err := provision.Load(config)
	if err != nil || p.Node.Name != "zoë \"z\"" || p.Node.Identity != key {
		t.Errorf("%+v, %v", p, err)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := initialize(&second, dir, "other", nil); err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(config)
	if now, _ := auth.KeyFingerprint(key); err != nil || now != fp || !bytes.Equal(text, again) || !strings.Contains(second.String(), fp.String()) {
		t.Errorf("a second call changed something: %v\n%s", err, second.String())
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("left behind: %v", left)
	}
}

// TestT70_InitForTheDaemon: the key is the daemon's user's, and one that others can read is
// refused.
func TestT70_InitForTheDaemon(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("giving files away needs root")
	}
	key := filepath.Join(t.TempDir(), identityFile)
	if _, err := newKey(auth.Ed25519, key, &owner{4711, 4712}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(key)
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); s.Uid != 4711 || s.Gid != 4712 || info.Mode().Perm() != 0o600 {
		t.Errorf("the key belongs to %d:%d, mode %v", s.Uid, s.Gid, info.Mode())
	}
	if err := initialize(&bytes.Buffer{}, filepath.Dir(key), "alice", &owner{4711, 4712}); err != nil {
		t.Errorf("root can not look at the daemon's key: %v", err)
	}
	if _, err := auth.LoadIdentity(key, "alice", time.Now()); err == nil || !strings.Contains(err.Error(), "belongs to user 4711") {
		t.Errorf("a daemon of root takes somebody else's key: %v", err)
	}
	if err := os.Chown(key, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(key, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := initialize(&bytes.Buffer{}, filepath.Dir(key), "alice", nil); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others can read: %v", err)
	}
}

// TestInitNames: a host name makes a name, and what makes none is refused.
func TestInitNames(t *testing.T) {
	for host, want := range map[string]string{"Alice.example.org": "alice", "drone-7": "drone-7", "-x": "x", "zoë": "zo", "": "", "...": ""} {
		if got := plainName(host); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
	dir := filepath.Join(t.TempDir(), "pc5")
	if err := initialize(&bytes.Buffer{}, dir, strings.Repeat("x", 129), nil); err == nil {
		t.Error("a name of 129 octets is taken")
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a refused name leaves a directory")
	}
}

// TestCheckReadsLearntLinks: with the state directory the links that came by invites are checked, too.
func TestCheckReadsLearntLinks(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	if err := initialize(&bytes.Buffer{}, dir, "alice", nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(state, "links.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	link := "[[link]]\nname = \"bob\"\npin = \"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"\n"
	if err := os.WriteFile(filepath.Join(state, "links.d", "bob.toml"), []byte(link), 0o600); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, provisioningFile)
	if out := run(t, "check", config); !strings.Contains(out, "0 link(s)") {
		t.Errorf("%s", out)
	}
	if out := run(t, "check", config, "--state", state); !strings.Contains(out, "1 link(s)") {
		t.Errorf("%s", out)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, append(text, link...), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := run(t, "check", config, "--state", state); !strings.Contains(out, "a learnt link is left out") || !strings.Contains(out, "1 link(s)") {
		t.Errorf("%s", out)
	}
}
