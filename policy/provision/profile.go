package provision

import "fmt"

// Profile says which values the timers have that no key names.
type Profile uint8

const (
	// ProfileIP is for IP underlays, the default. Extension: the standard's are made for a radio.
	ProfileIP Profile = iota
	// ProfileStandard has the values of TS 24.554, 12.
	ProfileStandard
)

// String gives the word used in the provisioning.
func (p Profile) String() string {
	switch p {
	case ProfileIP:
		return "ip"
	case ProfileStandard:
		return "standard"
	}
	return fmt.Sprintf("profile %d", uint8(p))
}

// UnmarshalText accepts exactly the words of String.
func (p *Profile) UnmarshalText(text []byte) error {
	for _, known := range []Profile{ProfileIP, ProfileStandard} {
		if known.String() == string(text) {
			*p = known
			return nil
		}
	}
	return fmt.Errorf("unknown profile %q: use \"ip\" or \"standard\"", text)
}
