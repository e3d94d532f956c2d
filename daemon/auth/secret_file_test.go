package auth

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// loaders read each kind of key from a file that they made.
var loaders = map[string]struct {
	make func(path string) error
	load func(path string) error
}{
	"identity": {
		func(path string) error { _, err := GenerateKey(path); return err },
		func(path string) error { _, err := LoadKey(path); return err },
	},
	"pre-shared": {GeneratePSK, func(path string) error {
		key, err := LoadPSK(path)
		key.Wipe()
		return err
	}},
}

// TestT70_KeyFiles: keys are made private and never overwritten, and what others can read or own is
// refused, with what to do.
func TestT70_KeyFiles(t *testing.T) {
	for name, k := range loaders {
		t.Run(name, func(t *testing.T) {
			old := syscall.Umask(0)
			defer syscall.Umask(old)
			path := filepath.Join(t.TempDir(), "key")
			if err := k.make(path); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
				t.Errorf("made with mode %v, %v", info.Mode(), err)
			}
			if err := k.make(path); err == nil || !strings.Contains(err.Error(), "never overwritten") {
				t.Errorf("made twice: %v", err)
			}
			if err := k.load(path); err != nil {
				t.Error(err)
			}
			for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644} {
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
				if err := k.load(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
					t.Errorf("mode %v: %v", mode, err)
				}
			}
			if err := os.Chmod(path, 0o600); err != nil {
				t.Fatal(err)
			}
			if os.Geteuid() == 0 {
				if err := os.Chown(path, 12345, 0); err != nil {
					t.Fatal(err)
				}
				if err := k.load(path); err == nil || !strings.Contains(err.Error(), "chown") {
					t.Errorf("another owner: %v", err)
				}
			}
			for what, want := range map[string]string{path + ".none": "does not exist", filepath.Dir(path): "is no file"} {
				if err := k.load(what); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

// TestT70_Credentials: a key that the service manager keeps is found by name in its directory, whose
// access lists show in the mode, and nothing else is.
func TestT70_Credentials(t *testing.T) {
	dir := t.TempDir()
	for name, k := range loaders {
		if err := k.make(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), 0o440); err != nil {
			t.Fatal(err)
		}
		t.Setenv("CREDENTIALS_DIRECTORY", "")
		if err := k.load("credential:" + name); err == nil || !strings.Contains(err.Error(), "LoadCredential="+name) {
			t.Errorf("%s without a service manager: %v", name, err)
		}
		t.Setenv("CREDENTIALS_DIRECTORY", dir)
		if err := k.load("credential:" + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, bad := range []string{"", ".", "..", "../" + name, "/etc/passwd", "none"} {
			if err := k.load("credential:" + bad); err == nil {
				t.Errorf("%s: %q was read", name, bad)
			}
		}
	}
}
