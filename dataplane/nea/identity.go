package nea

import "fmt"

// Ciphering is a ciphering algorithm identity (TS 33.501, D.2).
type Ciphering uint8

// Integrity is an integrity algorithm identity (TS 33.501, D.3).
type Integrity uint8

// Identities 0 to 3; 4 to 7 exist as values only.
const (
	NEA0 Ciphering = iota // null
	NEA1                  // SNOW 3G
	NEA2                  // AES
	NEA3                  // ZUC
	NEA4
	NEA5
	NEA6
	NEA7
)

const (
	NIA0 Integrity = iota // null
	NIA1                  // SNOW 3G
	NIA2                  // AES
	NIA3                  // ZUC
	NIA4
	NIA5
	NIA6
	NIA7
)

var (
	cipherings  = [...]string{"nea0", "nea1", "nea2", "nea3", "nea4", "nea5", "nea6", "nea7"}
	integrities = [...]string{"nia0", "nia1", "nia2", "nia3", "nia4", "nia5", "nia6", "nia7"}
)

// String gives the word of provisioning and status.
func (c Ciphering) String() string {
	if int(c) < len(cipherings) {
		return cipherings[c]
	}
	return fmt.Sprintf("nea%d", uint8(c))
}

// String gives the word of provisioning and status.
func (i Integrity) String() string {
	if int(i) < len(integrities) {
		return integrities[i]
	}
	return fmt.Sprintf("nia%d", uint8(i))
}

// MarshalText writes the word used in provisioning and status.
func (c Ciphering) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// MarshalText writes the word used in provisioning and status.
func (i Integrity) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText accepts "nea0" to "nea7".
func (c *Ciphering) UnmarshalText(text []byte) error {
	n, err := parseIdentity("nea", text)
	*c = Ciphering(n)
	return err
}

// UnmarshalText accepts "nia0" to "nia7".
func (i *Integrity) UnmarshalText(text []byte) error {
	n, err := parseIdentity("nia", text)
	*i = Integrity(n)
	return err
}

func parseIdentity(prefix string, text []byte) (uint8, error) {
	s := string(text)
	if len(s) != 4 || s[:3] != prefix || s[3] < '0' || s[3] > '7' {
		return 0, fmt.Errorf("unknown algorithm %q: expected %s0 to %s7", s, prefix, prefix)
	}
	return s[3] - '0', nil
}
