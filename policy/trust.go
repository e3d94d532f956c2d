package policy

import "fmt"

// Trust says what makes a peer's key good.
type Trust uint8

const (
	TrustPin Trust = iota // its fingerprint stands in the provisioning, the default
	TrustCA               // a certificate of one of the node's CAs speaks for it
	TrustPSK              // both ends have the same pre-shared key
)

// String gives the word used in the provisioning.
func (t Trust) String() string {
	switch t {
	case TrustPin:
		return "pin"
	case TrustCA:
		return "ca"
	case TrustPSK:
		return "psk"
	}
	return fmt.Sprintf("trust %d", uint8(t))
}

// UnmarshalText accepts exactly the words of String.
func (t *Trust) UnmarshalText(text []byte) error {
	for _, known := range []Trust{TrustPin, TrustCA, TrustPSK} {
		if known.String() == string(text) {
			*t = known
			return nil
		}
	}
	return fmt.Errorf("unknown word %q: use \"pin\", \"ca\" or \"psk\"", text)
}
