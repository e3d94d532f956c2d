package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// judge says what is wrong between the document and the tests.
func judge(d *document, found tests) []string {
	var problems []string
	for _, r := range d.requirements {
		waits := d.waitsFor(r.id)
		switch {
		case len(found[r.id]) == 0 && waits == "":
			problems = append(problems, fmt.Sprintf("%s has no test: name one after it, or say on the waiting list which capability it waits for", r.id))
		case len(found[r.id]) > 0 && waits != "":
			problems = append(problems, fmt.Sprintf("%s is tested by %s: take it off the waiting list, which only shrinks", r.id, found[r.id][0]))
		}
	}
	for _, r := range d.waiting {
		if !d.has(r.id) {
			problems = append(problems, fmt.Sprintf("%s waits, but is no requirement", r.id))
		}
	}
	for _, i := range slices.SortedFunc(maps.Keys(found), compare) {
		if !d.has(i) {
			problems = append(problems, fmt.Sprintf("%s is in the name of %s, but is no requirement", i, found[i][0]))
		}
	}
	return problems
}

func compare(a, b id) int { return strings.Compare(a.String(), b.String()) }

// write prints the table and its sum.
func write(out io.Writer, d *document, found tests) {
	width, tested, waiting := 0, 0, 0
	for _, r := range d.requirements {
		width = max(width, len([]rune(r.words)))
	}
	for _, r := range d.requirements {
		right := "nothing"
		switch {
		case len(found[r.id]) > 0:
			right = strings.Join(found[r.id], ", ")
			tested++
		case d.waitsFor(r.id) != "":
			right = "waits for: " + d.waitsFor(r.id)
			waiting++
		}
		fmt.Fprintf(out, "%-4s %-*s -> %s\n", r.id, width, r.words, right)
	}
	fmt.Fprintf(out, "%d requirements: %d tested, %d waiting\n", len(d.requirements), tested, waiting)
}
