package linkbench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	tablesBegin = "<!-- tables of make bench: begin -->\n"
	tablesEnd   = "<!-- tables of make bench: end -->\n"
)

// Document writes the tables into a page, between its two markers, and the chart beside it. All that
// stands around the markers stays.
func (r Result) Document(page, chart string) error {
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	link := fmt.Sprintf("![throughput and processor time](%s)\n", filepath.Base(chart))
	text, err := insert(string(old), link+"\n"+r.markdown())
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	if err := os.WriteFile(chart, []byte(r.chart()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(page, []byte(text), 0o644)
}

// insert replaces what stands between the markers.
func insert(page, text string) (string, error) {
	before, rest, begun := strings.Cut(page, tablesBegin)
	_, after, ended := strings.Cut(rest, tablesEnd)
	if !begun || !ended {
		return "", fmt.Errorf("it lacks the lines %q and %q", strings.TrimSpace(tablesBegin), strings.TrimSpace(tablesEnd))
	}
	return before + tablesBegin + text + tablesEnd + after, nil
}
