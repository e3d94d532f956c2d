package provision_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pc5d/policy/provision"
)

// write makes a directory of provisioning files and returns the main file's path.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "pc5d.toml")
}

const node = "[node]\nname = \"alice\"\nidentity = \"identity.pem\"\n"

func linkText(name, more string) string {
	return "[[link]]\nname = \"" + name + "\"\npin = \"" + pinOf('A').String() + "\"\n" + more
}

func TestLoadReadsLinksInOrder(t *testing.T) {
	path := write(t, map[string]string{
		"pc5d.toml":          node + linkText("zoe", ""),
		"links.d/b.toml":     linkText("bob", ""),
		"links.d/a.toml":     linkText("ann", "") + linkText("amy", ""),
		"links.d/.b.toml":    "not toml",
		"links.d/README.txt": "not toml",
	})
	p, err := provision.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range p.Links {
		names = append(names, l.Name)
	}
	if got := strings.Join(names, " "); got != "zoe ann amy bob" {
		t.Errorf("links are %q, want the main file's, then links.d in the order of its names", got)
	}
	if want := filepath.Join(filepath.Dir(path), "identity.pem"); p.Node.Identity != want {
		t.Errorf("identity is %q, want it beside the main file: %q", p.Node.Identity, want)
	}
}

func TestLoadReportsAllFilesAtOnce(t *testing.T) {
	path := write(t, map[string]string{
		"pc5d.toml":        node + linkText("bob", "allowed = [\"10.7.0.0/24\"]\n"),
		"links.d/bob.toml": "[node]\nname = \"x\"\n" + linkText("bob", "allowed = [\"10.7.0.0/24\"]\n"),
		"links.d/bad.toml": "name = \n",
	})
	_, err := provision.Load(path)
	if err == nil {
		t.Fatal("clashes between files were accepted")
	}
	golden(t, "testdata/files.golden", strings.ReplaceAll(err.Error(), filepath.Dir(path)+"/", "")+"\n")
}

func TestLoadSaysWhichFileIsMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pc5d.toml")
	_, err := provision.Load(path)
	want := path + " does not exist: write it, or name another main file with --config"
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestLoadOfADirectory(t *testing.T) {
	dir := t.TempDir()
	_, err := provision.Load(dir)
	if want := dir + " cannot be read: is a directory"; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
