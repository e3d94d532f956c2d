package provision

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Diagnostic is one thing wrong at one place.
type Diagnostic struct {
	File         string
	Line, Column int
	Message      string
	Hint         string // how to mend it, or empty
}

func (d Diagnostic) Error() string {
	s := fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Column, d.Message)
	if d.Hint != "" {
		s += " (" + d.Hint + ")"
	}
	return s
}

// Diagnostics is the error of Load and Parse where the files were read but are wrong: never
// empty, each file's in the order of its lines.
type Diagnostics []Diagnostic

func (d Diagnostics) Error() string {
	lines := make([]string, len(d))
	for i := range d {
		lines[i] = d[i].Error()
	}
	return strings.Join(lines, "\n")
}

// sorted orders the diagnostics of one file.
func sorted(d Diagnostics) Diagnostics {
	slices.SortStableFunc(d, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return d
}
