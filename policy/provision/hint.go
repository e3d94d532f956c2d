package provision

import (
	"fmt"
	"strings"
)

// suggest gives the hint for an unknown word: the known one that it looks like, else all.
func suggest(word string, known []string) string {
	best, distance := "", 4
	for _, k := range known {
		// More slips than a third of the word, and two in a short one, make another word.
		if d := slips(word, k, distance); d < distance && d <= max(2, len(k)/3) && d < len(k) {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	quoted := make([]string, len(known))
	for i, k := range known {
		quoted[i] = fmt.Sprintf("%q", k)
	}
	return "known: " + strings.Join(quoted, ", ")
}

// slips counts the octets to insert, delete, replace or swap with the next that make b of a; any
// number that is not below limit may be returned as limit.
func slips(a, b string, limit int) int {
	if len(a) >= len(b)+limit || len(b) >= len(a)+limit {
		return limit
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + min(rows[i-1][j], rows[i][j-1], rows[i-1][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
