package policy

import "fmt"

// Authenticate says when the two ends of a link authenticate in full.
type Authenticate uint8

const (
	AuthenticateWhenNeeded Authenticate = iota // not while a key is kept, the default
	AuthenticateAlways                         // at each establishment
)

// String gives the word used in the provisioning.
func (a Authenticate) String() string {
	switch a {
	case AuthenticateWhenNeeded:
		return "when-needed"
	case AuthenticateAlways:
		return "always"
	}
	return fmt.Sprintf("authenticate %d", uint8(a))
}

// UnmarshalText accepts exactly the words of String.
func (a *Authenticate) UnmarshalText(text []byte) error {
	for _, known := range []Authenticate{AuthenticateWhenNeeded, AuthenticateAlways} {
		if known.String() == string(text) {
			*a = known
			return nil
		}
	}
	return fmt.Errorf("unknown word %q: use \"when-needed\" or \"always\"", text)
}
