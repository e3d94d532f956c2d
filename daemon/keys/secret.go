package keys

import (
	"crypto/subtle"
	"fmt"
	"io"
)

const redacted = "[redacted]"

// Secret is key material. It never prints, compares in constant time, and is wiped by Wipe;
// copies of a Secret share their octets.
type Secret struct{ octets []byte }

// NewSecret takes ownership of b.
func NewSecret(b []byte) Secret { return Secret{b} }

// Bytes returns the octets; they stay the secret's.
func (s Secret) Bytes() []byte { return s.octets }

// Wipe overwrites the octets in all copies.
func (s Secret) Wipe() { clear(s.octets) }

// Equal compares in constant time.
func (s Secret) Equal(o Secret) bool { return subtle.ConstantTimeCompare(s.octets, o.octets) == 1 }

func (s Secret) String() string   { return redacted }
func (s Secret) GoString() string { return redacted }

// Format keeps every verb from printing the octets.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText keeps the octets out of JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
