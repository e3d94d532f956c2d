package policy

// outcome is one cell of the table.
type outcome uint8

const (
	mismatched outcome = iota
	off
	onIfCommon
	on // where nothing is common that is a mismatch, too
)

// resolution is the table itself, by the two ends' words; it is the same from both sides.
var resolution = [3][3]outcome{
	NotNeeded: {NotNeeded: off, Preferred: off, Required: mismatched},
	Preferred: {NotNeeded: off, Preferred: onIfCommon, Required: on},
	Required:  {NotNeeded: mismatched, Preferred: on, Required: on},
}

// Resolve is the 3x3 table of the package comment; common tells whether both ends have an
// algorithm other than the null one. It reports whether protection is on, and whether the two
// words fit at all (ok). A word that is none of the three never fits.
//
// TS 33.536, 5.3.3.1.4.3 step 2 for the two mismatches; the rest of the table is recalled.
func Resolve(a, b Requirement, common bool) (protect, ok bool) {
	if a > Required || b > Required {
		return false, false
	}
	switch resolution[a][b] {
	case on:
		return common, common
	case onIfCommon:
		return common, true
	case off:
		return false, true
	}
	return false, false
}
