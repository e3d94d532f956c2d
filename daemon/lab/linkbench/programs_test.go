package linkbench

import (
	"slices"
	"strings"
	"testing"
)

// TestNullBuild: the two builds differ in one file, which alone imports a package of cryptography, and a build without
// the tag has both.
func TestNullBuild(t *testing.T) {
	if err := (need{"go": ""}).missing(); err != nil {
		t.Skip(err)
	}
	usual, err := sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	null, err := sources(t.Context(), "-tags", nullTag)
	if err != nil {
		t.Fatal(err)
	}
	only := func(in, notIn string) []string {
		others := strings.Split(notIn, "\n")
		return slices.DeleteFunc(strings.Split(in, "\n"), func(line string) bool {
			return slices.Contains(others, line) || !strings.HasPrefix(line, "pc5d/")
		})
	}
	const suite, imported = "pc5d/dataplane/suite ", "pc5d/dataplane/suite/gcm "
	a, b := only(usual, null), only(null, usual)
	n := len(a)
	a = slices.DeleteFunc(a, func(line string) bool { return strings.HasPrefix(line, imported) })
	if n != 2 || len(a) != 1 || !strings.HasPrefix(a[0], suite) || !strings.Contains(a[0], "aead.go") || strings.Contains(a[0], "null") {
		t.Errorf("without the tag: %q", a)
	}
	if len(b) != 1 || !strings.HasPrefix(b[0], suite) || !strings.Contains(b[0], "aead_null.go") || strings.Contains(b[0], "aead.go") {
		t.Errorf("with the tag: %q", b)
	}
}
