package provision

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
)

// duration reads a Go duration from least to most, which are above 0; 0: none was read.
func (t *table) duration(key string, least, most time.Duration) time.Duration {
	s, ok := read[string](t, key, `a duration: write it in quotes and with its unit, like "1m30s"`)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		t.doc.wrong(t.at(key), fmt.Sprintf("%s %q is not a duration", t.name(key), s), `write a number with its unit, like "300ms" or "1m30s"`)
	case d < least || d > most:
		t.doc.wrong(t.at(key), fmt.Sprintf("%s %q is out of range", t.name(key), s), fmt.Sprintf("%s to %s", brief(least), brief(most)))
	default:
		return d
	}
	return 0
}

// brief writes a duration without the units that are zero.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// size reads a number of octets, at least as many as least says; 0: none was read.
func (t *table) size(key, least string) uint64 {
	s, ok := read[string](t, key, `a size: write it in quotes and with its unit, like "10GB"`)
	if !ok {
		return 0
	}
	n, err := parseSize(s)
	if err != nil {
		hint := `write a number with its unit, like "10GB"`
		switch proper, ok := properSize(s); {
		case ok && proper == s: // the error says it all
			hint = ""
		case ok:
			hint = fmt.Sprintf("did you mean %q?", proper)
		}
		t.doc.wrong(t.at(key), fmt.Sprintf("%s %q %v", t.name(key), s, err), hint)
		return 0
	}
	if floor, err := parseSize(least); err != nil || n < floor {
		t.doc.wrong(t.at(key), fmt.Sprintf("%s %q is out of range", t.name(key), s), "at least "+least)
		return 0
	}
	return n
}

// units are powers of 1000, the first is its 0th.
var units = []string{"B", "kB", "MB", "GB", "TB"}

// looseSize bounds the digits, so that a long number costs nothing.
var looseSize = regexp.MustCompile(`^([0-9]{1,20}(?:\.[0-9]{1,20})?) ?([A-Za-z]{1,2})$`)

// splitSize takes a size apart, in whatever case its unit is written.
func splitSize(s string) (number string, power int, ok bool) {
	if m := looseSize.FindStringSubmatch(s); m != nil {
		for power, unit := range units {
			if strings.EqualFold(unit, m[2]) {
				return m[1], power, true
			}
		}
	}
	return "", 0, false
}

// properSize is how a size should have been written.
func properSize(s string) (string, bool) {
	number, power, ok := splitSize(s)
	if !ok {
		return "", false
	}
	return number + units[power], true
}

// parseSize reads a number with a unit; the number may have a fraction, the octets may not.
func parseSize(s string) (uint64, error) {
	number, power, ok := splitSize(s)
	if !ok || s != number+units[power] {
		return 0, fmt.Errorf("is not a size in %s", strings.Join(units, ", "))
	}
	octets, ok := new(big.Rat).SetString(number)
	if !ok {
		panic("BUG: a number of digits is not a number")
	}
	for range power {
		octets.Mul(octets, big.NewRat(1000, 1))
	}
	switch {
	case !octets.IsInt():
		return 0, errors.New("is not a whole number of octets")
	case !octets.Num().IsUint64():
		return 0, errors.New("is more than fits in 64 bits: leave it out for no limit")
	}
	return octets.Num().Uint64(), nil
}
