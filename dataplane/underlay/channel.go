package underlay

import "fmt"

// Form says what the PDU is.
type Form uint8

// Extension: forms 1 to 3 are pc5d's own.
const (
	FormPDCP   Form = 0 // PDCP PDU
	FormRecord Form = 1 // AEAD record
	FormHint   Form = 2 // unknown link; header only, believed by nobody
	FormGroup  Form = 3 // group record
)

var formNames = [...]string{FormPDCP: "pdcp", FormRecord: "record", FormHint: "hint", FormGroup: "group"}

func (f Form) String() string {
	if int(f) < len(formNames) {
		return formNames[f]
	}
	return fmt.Sprintf("form-%d", uint8(f))
}

// LCID is a sidelink logical channel.
type LCID uint8

// TS 38.321, 6.2.4.
const (
	SRB0      LCID = 0
	SRB1      LCID = 1
	SRB2      LCID = 2
	DRB       LCID = 4
	DRBSparse LCID = 5 // Extension: a second SL-DRB under the same key, which overtakes the first
	Discovery LCID = 58
)

// UserData tells whether a channel carries user data.
func (c LCID) UserData() bool { return c == DRB || c == DRBSparse }

func (c LCID) String() string {
	switch c {
	case SRB0:
		return "SL-SRB0"
	case SRB1:
		return "SL-SRB1"
	case SRB2:
		return "SL-SRB2"
	case DRB:
		return "SL-DRB"
	case DRBSparse:
		return "SL-DRB-sparse"
	case Discovery:
		return "SL-discovery"
	}
	return fmt.Sprintf("LCID-%d", uint8(c))
}
