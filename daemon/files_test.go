package daemon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestT71_T72_HalfWritten: what a crash left half written goes at the next start: there may be secrets in it,
// which nobody would wipe any more. Everything else stays.
func TestT71_T72_HalfWritten(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, learntDir), 0o700); err != nil {
		t.Fatal(err)
	}
	stay := []string{"links.json.bak", ".mine", ".mine.json", ".mine.1", "kept-keys", learntFile("bob"), filepath.Join(learntDir, ".bob.toml")}
	for _, name := range stay {
		write(name)
	}
	leave := []string{".invites.json.3141592653", ".first-use.json.1", ".links.json.2718281828", filepath.Join(learntDir, ".bob.toml.42")}
	for _, name := range leave {
		write(name)
	}
	s, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, name := range stay {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s went: %v", name, err)
		}
	}
	for _, name := range leave {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s stays: %v", name, err)
		}
	}
}

// TestT72_Files: a file is replaced whole, for its owner alone, and nothing half written stays.
func TestT72_Files(t *testing.T) {
	d := directory(t.TempDir())
	name := learntFile("bob")
	if _, err := d.Read(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before the first write: %v", err)
	}
	for _, text := range []string{"one", "two, which is longer", ""} {
		if err := d.Write(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := d.Read(name); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	info, err := os.Stat(filepath.Join(string(d), name))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Join(string(d), learntDir)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	for range 2 {
		if err := d.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// TestT70_T72_LearntFiles: what others could have written, or what is no file, is not read as ours,
// and the start stops; what a crash left half written is nobody's.
func TestT70_T72_LearntFiles(t *testing.T) {
	dir := t.TempDir()
	if s, err := Learnt(dir); err != nil || len(s) != 0 {
		t.Errorf("nothing there: %v, %v", s, err)
	}
	if err := directory(dir).Write(learntFile("bob"), []byte("x")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, learntFile("bob"))
	half := filepath.Join(dir, learntDir, ".bob.toml.123")
	if err := os.WriteFile(half, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Learnt(dir); err != nil || len(s) != 1 || s[0].Name != path || string(s[0].Data) != "x" {
		t.Errorf("%v, %v", s, err)
	}
	for name, c := range map[string]struct {
		spoil func() error
		want  string
	}{
		"others may write": {func() error { return os.Chmod(path, 0o620) }, "chmod 600"},
		"a link":           {func() error { return errors.Join(os.Remove(path), os.Symlink(half, path)) }, "too many levels"},
		"a folder":         {func() error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }, "is no file"},
	} {
		if err := directory(dir).Write(learntFile("bob"), []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := c.spoil(); err != nil {
			t.Fatal(err)
		}
		if _, err := Learnt(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}
