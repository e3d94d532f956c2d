package daemon_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../" // of the module

// pure packages speak the protocol or decide: they do no I/O and read no clock.
var pure = []string{
	"daemon/pc5s", "daemon/link", "daemon/keys", "daemon/auth/kei", "daemon/auth/cookie", "daemon/auth/mac", "daemon/auth/pskdhe", "daemon/auth/invite", "daemon/pathmtu",
	"dataplane/record", "dataplane/suite", "dataplane/suite/gcm", "dataplane/nea", "dataplane/pdcp", "dataplane/underlay", "policy",
}

// layers are the tops of the tree, from the one that may import all to those that import neither.
var layers = map[string][]string{
	"cmd": {"cmd", "daemon", "dataplane", "policy"}, "daemon": {"daemon", "dataplane", "policy"},
	"dataplane": {"dataplane"}, "policy": {"policy", "dataplane"},
}

// house parses every file of the module that is no test, by package folder.
func house(t *testing.T) map[string][]*ast.File {
	t.Helper()
	folders := map[string][]*ast.File{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		folders[folder] = append(folders[folder], f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

func imports(files []*ast.File) []string {
	var paths []string
	for _, f := range files {
		for _, i := range f.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			if err == nil && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// TestImportsPointOneWay: cmd to daemon to dataplane and policy; the policy knows the names of
// algorithms, which live in dataplane.
func TestImportsPointOneWay(t *testing.T) {
	for folder, files := range house(t) {
		top, _, _ := strings.Cut(folder, "/")
		for _, path := range imports(files) {
			ours, ok := strings.CutPrefix(path, "pc5d/")
			if !ok {
				continue
			}
			if other, _, _ := strings.Cut(ours, "/"); !slices.Contains(layers[top], other) {
				t.Errorf("%s imports %s", folder, path)
			}
		}
	}
}

// TestPurePackagesStayPure: no network, files, logs or clock; crypto/tls in daemon/auth alone, and in
// what measures daemon/auth beside it.
func TestPurePackagesStayPure(t *testing.T) {
	forbidden := []string{"net", "net/http", "os", "os/exec", "log", "log/slog", "syscall", "context", "sync"}
	for folder, files := range house(t) {
		paths := imports(files)
		if slices.Contains(paths, "crypto/tls") && folder != "daemon/auth" && folder != "daemon/lab/authbench" {
			t.Errorf("%s imports crypto/tls", folder)
		}
		if !slices.Contains(pure, folder) {
			continue
		}
		for _, path := range forbidden {
			if slices.Contains(paths, path) {
				t.Errorf("%s imports %s", folder, path)
			}
		}
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Now" {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" {
						t.Errorf("%s calls time.Now", folder)
					}
				}
				return true
			})
		}
	}
}

// TestMetricsHaveOneRoom: the libraries of Prometheus are daemon/metrics' alone, and it is pc5d's alone: no
// packet and no message depends on them, and pc5ctl reads text.
func TestMetricsHaveOneRoom(t *testing.T) {
	for folder, files := range house(t) {
		for _, path := range imports(files) {
			if strings.Contains(path, "prometheus") && folder != "daemon/metrics" || path == "pc5d/daemon/metrics" && folder != "cmd/pc5d" {
				t.Errorf("%s imports %s", folder, path)
			}
		}
	}
}

// TestPackagesHaveDocs: a package says what it is, and what it is not.
func TestPackagesHaveDocs(t *testing.T) {
	for folder, files := range house(t) {
		if !slices.ContainsFunc(files, func(f *ast.File) bool { return f.Doc != nil && len(f.Doc.Text()) > 80 }) {
			t.Errorf("%s has no package comment", folder)
		}
	}
}

// TestDaemonLinksNoTool: pc5d itself links no command line, no terminal and no lab.
func TestDaemonLinksNoTool(t *testing.T) {
	folders := house(t)
	seen := map[string]bool{}
	var visit func(folder string)
	visit = func(folder string) {
		if seen[folder] {
			return
		}
		seen[folder] = true
		for _, path := range imports(folders[folder]) {
			if ours, ok := strings.CutPrefix(path, "pc5d/"); ok {
				visit(ours)
			}
			for _, tool := range []string{"spf13/cobra", "charm.land/", "rsc.io/qr", "pc5d/daemon/lab", "pc5d/daemon/sim", "client_golang/prometheus/promhttp", "client_golang/prometheus/push"} {
				if strings.Contains(path, tool) {
					t.Errorf("pc5d links %s through %s", path, folder)
				}
			}
		}
	}
	visit("cmd/pc5d")
	if len(seen) < 10 {
		t.Errorf("only %d packages seen from %s", len(seen), os.Args[0])
	}
}
