package main

import (
	"fmt"
	"slices"
	"strings"
)

// requirement is one row of the document.
type requirement struct {
	id    id
	words string
}

// document is docs/requirements.md: every table with the header "id | requirement", and the one
// with the header "id | waits for".
type document struct {
	requirements []requirement
	waiting      []requirement // words: the capability
}

// parseDocument reads the tables; what it says is wrong stands at a line.
func parseDocument(text string) (*document, []string) {
	d := &document{}
	var problems []string
	var table *[]requirement
	inside, lists, number := false, 0, 0
	for line := range strings.Lines(text) {
		number++
		cells := row(line)
		if cells == nil {
			inside = false
			continue
		}
		if !inside {
			inside = true
			if table = d.table(cells); table == &d.waiting {
				lists++
			}
			continue
		}
		if table == nil || strings.Trim(strings.Join(cells, ""), "-: ") == "" {
			continue
		}
		if problem := add(table, cells); problem != "" {
			problems = append(problems, fmt.Sprintf("%s:%d: %s", documentPath, number, problem))
		}
	}
	if len(d.requirements) == 0 {
		problems = append(problems, documentPath+" has no table with the header \"id | requirement\"")
	}
	if lists > 1 {
		problems = append(problems, documentPath+" has more than one waiting list: keep one")
	}
	return d, problems
}

// row returns the cells of a table's line, nil for any other line.
func row(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") {
		return nil
	}
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

// table tells by its header which table begins; nil for one of no interest.
func (d *document) table(header []string) *[]requirement {
	switch strings.Join(header, "|") {
	case "id|requirement":
		return &d.requirements
	case "id|waits for":
		return &d.waiting
	}
	return nil
}

// add appends a row, or says what is wrong with it.
func add(table *[]requirement, cells []string) string {
	if len(cells) != 2 || cells[1] == "" {
		return "the row needs two cells, an id and some words"
	}
	ids := tokens(cells[0])
	if len(ids) != 1 || ids[0].String() != cells[0] {
		return fmt.Sprintf("%q is not an id", cells[0])
	}
	if slices.ContainsFunc(*table, func(r requirement) bool { return r.id == ids[0] }) {
		return fmt.Sprintf("%s stands here a second time", ids[0])
	}
	*table = append(*table, requirement{ids[0], cells[1]})
	return ""
}

// has tells whether an id is a requirement.
func (d *document) has(i id) bool {
	return slices.ContainsFunc(d.requirements, func(r requirement) bool { return r.id == i })
}

// waitsFor returns the capability that an id waits for, or "".
func (d *document) waitsFor(i id) string {
	for _, r := range d.waiting {
		if r.id == i {
			return r.words
		}
	}
	return ""
}
