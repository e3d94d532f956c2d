package policy

// Resolve is the 3x3 table of the package comment; common tells whether both ends have an
// algorithm other than the null one. It reports whether protection is on, and whether the two
// words fit at all (ok). A word that is none of the three never fits.
//
// TS 33.536, 5.3.3.1.4.3 step 2 for the two mismatches; the rest of the table is recalled.
func Resolve(a, b Requirement, common bool) (on, ok bool) {
	if a > Required || b > Required {
		return false, false
	}
	if a == Required || b == Required {
		ok = a != NotNeeded && b != NotNeeded && common
		return ok, ok
	}
	if a == NotNeeded || b == NotNeeded {
		return false, true
	}
	return common, true
}
