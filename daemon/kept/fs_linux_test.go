package kept_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pc5d/daemon/kept"
)

// real is a store in a real directory.
func real(t *testing.T, file string) (s *kept.Store, told *[]string) {
	t.Helper()
	told = &[]string{}
	s = kept.Open(kept.Config{File: file, Secret: secret(1), Now: func() time.Time { return noon }, Event: func(text string, err error) {
		*told = append(*told, text+": "+err.Error())
	}})
	t.Cleanup(s.Close)
	return s, told
}

// TestT72_RealFile: the file is private whatever the umask, comes back, and nothing else is left.
func TestT72_RealFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(file+".new", []byte("of a write that was not finished"), 0o644); err != nil {
		t.Fatal(err)
	}
	defer syscall.Umask(syscall.Umask(0))
	s, told := real(t, file)
	if names, err := os.ReadDir(filepath.Dir(file)); err != nil || len(names) != 0 {
		t.Errorf("%v, %v; want what a crash left to be gone", names, err)
	}
	s.Put(entry(1, "alice", "voice"))
	s.Put(entry(2, "bob", "voice"))
	s.Take(1)
	if i, err := os.Lstat(file); err != nil || i.Mode() != 0o600 {
		t.Errorf("%v, mode %v; want 0600", err, i.Mode())
	}
	if names, err := os.ReadDir(filepath.Dir(file)); err != nil || len(names) != 1 {
		t.Errorf("%v, %v; want the file alone", names, err)
	}
	s, _ = real(t, file)
	_, taken := s.ByID(1)
	if e, ok := s.ByID(2); !ok || taken || e.Peer != "bob" {
		t.Errorf("read back: 2 is %v, 1 is %v; want the one and not the other", ok, taken)
	}
	if len(*told) > 0 {
		t.Errorf("told %q", *told)
	}
}

// TestT72_FilesOfOthers: a link, a pipe, a directory or a file that others can read is not
// followed, waited for, or read; the next write replaces what can be replaced, never what a link
// leads to.
func TestT72_FilesOfOthers(t *testing.T) {
	good := kept.Seal(secret(1), 1, kept.Encode(noon, entry(1, "alice", "voice")))
	write := func(path string, mode os.FileMode) error {
		if err := os.WriteFile(path, good, mode); err != nil {
			return err
		}
		return os.Chmod(path, mode)
	}
	for _, c := range []struct {
		name, want string
		make       func(path string) error
		replaced   bool
	}{
		{"group may read", "open to other users", func(p string) error { return write(p, 0o640) }, true},
		{"others may write", "open to other users", func(p string) error { return write(p, 0o602) }, true},
		{"link", "is a symbolic link", func(p string) error {
			if err := write(p+".target", 0o600); err != nil {
				return err
			}
			return os.Symlink(p+".target", p)
		}, true},
		{"pipe", "is no regular file", func(p string) error { return syscall.Mkfifo(p, 0o600) }, true},
		{"directory", "is no regular file", func(p string) error { return os.MkdirAll(filepath.Join(p, "inside"), 0o700) }, false},
		{"nothing", "", func(string) error { return nil }, true},
		{"good", "", func(p string) error { return write(p, 0o600) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "kept")
			if err := c.make(file); err != nil {
				t.Fatal(err)
			}
			s, told := real(t, file)
			if _, ok := s.ByID(1); ok != (c.name == "good") {
				t.Errorf("the entry is there: %v", ok)
			}
			if got := strings.Join(*told, "\n"); c.want == "" != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("told %q, want %q", got, c.want)
			}
			*told = nil
			s.Put(entry(2, "bob", "voice"))
			i, err := os.Lstat(file)
			if err != nil {
				t.Fatal(err)
			}
			if replaced := i.Mode() == 0o600 && len(*told) == 0; replaced != c.replaced {
				t.Errorf("afterwards %v, told %q", i.Mode(), *told)
			}
			if b, err := os.ReadFile(file + ".target"); err == nil && string(b) != string(good) {
				t.Error("what the link leads to was changed")
			}
		})
	}
}

// TestT72_RealDiskWithoutRoom: where no file can be made the memory goes on, and the file that has
// a taken key is emptied.
func TestT72_RealDiskWithoutRoom(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kept")
	s, told := real(t, file)
	s.Put(entry(1, "alice", "voice"))
	s.Put(entry(2, "bob", "voice"))
	if err := os.MkdirAll(filepath.Join(file+".new", "inside"), 0o700); err != nil { // in the way of the next write
		t.Fatal(err)
	}
	s.Take(1)
	if len(*told) != 1 || !strings.Contains((*told)[0], "their file was removed") {
		t.Errorf("told %q", *told)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file: %v", err)
	}
	if _, ok := s.ByID(2); !ok {
		t.Error("the memory does not go on")
	}
}
