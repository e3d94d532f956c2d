package policy

import "fmt"

// Form says which forms of user data a link accepts.
type Form uint8

// Extension: the choice between the forms is ours.
const (
	FormRecord Form = iota // AEAD records only, the default
	FormAny                // records where the peer has them, else standard PDCP
	FormPDCP               // standard PDCP only
)

// String gives the word used in the provisioning.
func (f Form) String() string {
	switch f {
	case FormRecord:
		return "record"
	case FormAny:
		return "any"
	case FormPDCP:
		return "pdcp"
	}
	return fmt.Sprintf("form %d", uint8(f))
}

// UnmarshalText accepts exactly the words of String.
func (f *Form) UnmarshalText(text []byte) error {
	for _, known := range []Form{FormRecord, FormAny, FormPDCP} {
		if known.String() == string(text) {
			*f = known
			return nil
		}
	}
	return fmt.Errorf("unknown form %q: use \"record\", \"any\" or \"pdcp\"", text)
}
