package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"TestT52ReplayT53Forgery", "T52 T53"},
		{"TestR01_R15_EveryBit", "R1 R15"},
		{"TestResolve_T02", "T02"},
		{"TestT5_Cookie", "T05"},
		{"TestT50T55LimitsStop", "T50 T55"},
		{"FuzzC12", "C12"},
		{"TestP1_WrongPin", "P1"},
		{"a subtest of T02 and R9", "T02 R9"},
		{"TestT5084Expires", ""},
		{"TestT510", ""},
		{"TestPC5Link", ""},
		{"TestRFC64", ""},
		{"TestT50th", ""},
		{"TestT0", ""},
		{"TestT", ""},
		{"TestRoundTrip", ""},
	} {
		var got []string
		for _, i := range tokens(c.name) {
			got = append(got, i.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s carries %q, want %q", c.name, got, c.want)
		}
	}
}

// tree writes a module of one document and one test file.
func tree(t *testing.T, document, source string) string {
	t.Helper()
	root := t.TempDir()
	for path, text := range map[string]string{
		documentPath:                  document,
		"daemon/x_test.go":            source,
		"daemon/testdata/y_test.go":   "not Go",
		".hidden/z_test.go":           "not Go",
		"daemon/not_a_test_of_t01.go": "not Go",
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const (
	head = "# Requirements\n\n| id | requirement |\n|---|---|\n"
	list = "\n## Waiting\n\n| id | waits for |\n|---|---|\n"
)

const source = `//go:build net

package daemon_test

func TestT01_One(t *testing.T) {
	t.Run("two, R02", func(t *testing.T) { t.Run("C3", func(*testing.T) {}) })
	t.Run(name+"P4", func(*testing.T) {})
	exec.Command("P4").Run()
}

func Testing_P4(t *testing.T)          {}
func helper_P4(t *testing.T)           { t.Run("P4", nil) }
func (s suite) TestP4(t *testing.T)    {}
func TestP4(t *testing.T, more string) {}
func BenchmarkP4(b *testing.B)         {}
`

// TestRun: what is found, and each thing that fails.
func TestRun(t *testing.T) {
	const rows = "| T01 | one |\n| R2 | two |\n| C3 | three |\n| P4 | four |\n"
	for _, c := range []struct {
		name, document, problem string
		code                    int
	}{
		{"tested or waiting", head + rows + list + "| P4 | a thing |\n", "", 0},
		{"neither", head + rows + list, "P4 has no test", 1},
		{"no list", head + rows, "P4 has no test", 1},
		{"both", head + rows + list + "| P4 | a thing |\n| T01 | a thing |\n", "T01 is tested by daemon.TestT01_One", 1},
		{"unknown in the list", head + rows + list + "| P4 | a thing |\n| P5 | a thing |\n", "P5 waits, but is no requirement", 1},
		{"unknown in a test", head + strings.Replace(rows, "| C3 | three |\n", "", 1) + list + "| P4 | a thing |\n", "C3 is in the name of daemon.TestT01_One/C3, but", 1},
		{"twice", head + rows + "| T01 | again |\n" + list + "| P4 | a thing |\n", ":9: T01 stands here a second time", 1},
		{"twice in the list", head + rows + list + "| P4 | a thing |\n| P4 | a thing |\n", "P4 stands here a second time", 1},
		{"two lists", head + rows + list + "| P4 | a thing |\n" + list, "more than one waiting list", 1},
		{"other spelling", head + rows + "| T5 | five |\n" + list + "| P4 | a thing |\n", `"T5" is not an id`, 1},
		{"no words", head + rows + list + "| P4 | |\n", "needs two cells", 1},
		{"no table", "# Requirements\n", "has no table", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, problems bytes.Buffer
			code := run([]string{tree(t, c.document, source)}, &out, &problems)
			if code != c.code || !strings.Contains(problems.String(), c.problem) || (c.problem == "") != (problems.Len() == 0) {
				t.Errorf("exit code %d, want %d; problems %q, want %q", code, c.code, &problems, c.problem)
			}
		})
	}
}

func TestTable(t *testing.T) {
	var out, problems bytes.Buffer
	document := head + "| T01 | one |\n| R2 | second |\n| C3 | three |\n| P4 | four |\n" + list + "| P4 | a thing |\n"
	run([]string{tree(t, document, source)}, &out, &problems)
	want := "T01  one    -> daemon.TestT01_One\n" +
		"R2   second -> daemon.TestT01_One/two,_R02\n" +
		"C3   three  -> daemon.TestT01_One/C3\n" +
		"P4   four   -> waits for: a thing\n" +
		"4 requirements: 3 tested, 1 waiting\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

func TestNothingToRead(t *testing.T) {
	var out, problems bytes.Buffer
	if code := run([]string{t.TempDir()}, &out, &problems); code != 2 {
		t.Errorf("without a document: exit code %d, want 2", code)
	}
	if code := run([]string{tree(t, head, "not Go")}, &out, &problems); code != 2 {
		t.Errorf("with a broken test file: exit code %d, want 2", code)
	}
}

// TestEveryRowIsThere: no row of the project's own document disappears unnoticed.
func TestEveryRowIsThere(t *testing.T) {
	text, err := os.ReadFile("../../" + documentPath)
	if err != nil {
		t.Fatal(err)
	}
	d, problems := parseDocument(string(text))
	if len(problems) > 0 {
		t.Error(problems)
	}
	var got, want []string
	for _, r := range d.requirements {
		got = append(got, r.id.String())
	}
	for _, block := range []struct {
		letter      byte
		first, last int
	}{{'R', 1, 21}, {'P', 1, 8}, {'T', 1, 20}, {'T', 30, 41}, {'T', 50, 63}, {'T', 70, 78}, {'T', 90, 95}, {'C', 1, 12}} {
		for n := block.first; n <= block.last; n++ {
			want = append(want, id{block.letter, n}.String())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows\n%s\nwant\n%s", fmt.Sprint(got), fmt.Sprint(want))
	}
}
