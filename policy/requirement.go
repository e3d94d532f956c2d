package policy

import "fmt"

// Requirement is one word of a security policy. Its numbers are the code points of the policy
// information elements, so that a policy octet needs no table.
type Requirement uint8

// The three words of TS 33.536, 5.3.3.1.4.2 (numbers recalled).
const (
	NotNeeded Requirement = 0
	Preferred Requirement = 1
	Required  Requirement = 2
)

// String gives the word used in the provisioning.
func (r Requirement) String() string {
	switch r {
	case NotNeeded:
		return "not-needed"
	case Preferred:
		return "preferred"
	case Required:
		return "required"
	}
	return fmt.Sprintf("requirement %d", uint8(r))
}

// UnmarshalText accepts exactly the words of String.
func (r *Requirement) UnmarshalText(text []byte) error {
	for _, known := range []Requirement{NotNeeded, Preferred, Required} {
		if known.String() == string(text) {
			*r = known
			return nil
		}
	}
	return fmt.Errorf("unknown requirement %q: use \"required\", \"preferred\" or \"not-needed\"", text)
}

// Protection is one end's wish for a plane.
type Protection struct {
	Integrity, Ciphering Requirement
}
