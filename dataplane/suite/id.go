package suite

import (
	"fmt"
	"slices"
	"strings"
)

// ID names a user-plane protection suite. Its value is the one of the user-plane suite
// information element and of the key derivation.
type ID uint8

// Extension: chosen values.
const (
	None             ID = 0
	AES128GCM        ID = 1
	AES256GCM        ID = 2
	ChaCha20Poly1305 ID = 3
)

var names = [...]string{None: "none", AES128GCM: "aes-128-gcm", AES256GCM: "aes-256-gcm", ChaCha20Poly1305: "chacha20-poly1305"}

// Built reports whether New can make the suite.
func Built(id ID) bool { return id.KeyLen() > 0 }

// words are the suites, for people.
func words() string { return strings.Join(names[1:], ", ") }

// KeyLen is the length of the suite's key; 0 for None and for unknown values.
func (id ID) KeyLen() int {
	switch id {
	case AES128GCM:
		return 16
	case AES256GCM, ChaCha20Poly1305:
		return 32
	}
	return 0
}

func (id ID) String() string {
	if int(id) < len(names) {
		return names[id]
	}
	return fmt.Sprintf("suite-%d", uint8(id))
}

// MarshalText gives the word of String.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads one of the words of String.
func (id *ID) UnmarshalText(text []byte) error {
	i := slices.Index(names[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown suite %q: use one of %s", text, words())
	}
	*id = ID(i)
	return nil
}
