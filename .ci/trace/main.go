// Command trace prints which test proves which requirement, and fails where one has none.
//
// It reads two things and nothing else: the tables of docs/requirements.md, and the names of the
// tests of the module. A test proves a requirement when its name carries the requirement's id as
// a whole token: TestT52ReplayT53Forgery carries T52 and T53. Only the names count; whether a
// test asserts what its row says is for the reviewer.
//
//	id   short words                     -> package.TestName, package.TestName/subtest
//	id   short words                     -> waits for: a capability that does not exist yet
//
// An id must be either tested or on the waiting list, never both and never neither.
//
//	go run ./.ci/trace [ROOT]
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const documentPath = "docs/requirements.md"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns the exit code: 1 for holes in the table, 2 where there is no table to look at.
func run(args []string, out, diagnostics io.Writer) int {
	root := "."
	if len(args) > 0 {
		root = args[0]
	}
	text, err := os.ReadFile(filepath.Join(root, documentPath))
	if err != nil {
		fmt.Fprintf(diagnostics, "trace: %v\n", err)
		return 2
	}
	found, err := scan(root)
	if err != nil {
		fmt.Fprintf(diagnostics, "trace: %v\n", err)
		return 2
	}
	doc, problems := parseDocument(string(text))
	problems = append(problems, judge(doc, found)...)
	write(out, doc, found)
	for _, p := range problems {
		fmt.Fprintf(diagnostics, "trace: %s\n", p)
	}
	if len(problems) > 0 {
		return 1
	}
	return 0
}
