package provision

import "fmt"

// KeptKeys says where keys are kept that spare the next establishment the full authentication.
type KeptKeys uint8

const (
	KeptInMemory KeptKeys = iota // the default: a restart forgets them
	KeptInFile                   // encrypted, in the state directory
	KeptNowhere
)

// String gives the word used in the provisioning.
func (k KeptKeys) String() string {
	switch k {
	case KeptInMemory:
		return "memory"
	case KeptInFile:
		return "file"
	case KeptNowhere:
		return "none"
	}
	return fmt.Sprintf("kept keys %d", uint8(k))
}

// UnmarshalText accepts exactly the words of String.
func (k *KeptKeys) UnmarshalText(text []byte) error {
	for _, known := range []KeptKeys{KeptInMemory, KeptInFile, KeptNowhere} {
		if known.String() == string(text) {
			*k = known
			return nil
		}
	}
	return fmt.Errorf("unknown word %q: use \"memory\", \"file\" or \"none\"", text)
}
