package policy

import (
	"encoding/base64"
	"fmt"
	"strings"
)

const fingerprintPrefix = "SHA256:"

// Fingerprint is the SHA-256 of a peer's public key (SubjectPublicKeyInfo): what a pin names.
// It is public; comparing two with == is fine.
type Fingerprint [32]byte

// String gives "SHA256:" and 43 characters of unpadded base64, as ssh-keygen prints one.
func (f Fingerprint) String() string {
	return fingerprintPrefix + base64.RawStdEncoding.EncodeToString(f[:])
}

// ParseFingerprint reads the form of String, and no other spelling of the same octets.
func ParseFingerprint(s string) (Fingerprint, error) {
	var f Fingerprint
	encoded, ok := strings.CutPrefix(s, fingerprintPrefix)
	if !ok {
		return f, fmt.Errorf("fingerprint does not start with %q: copy the whole line the peer printed", fingerprintPrefix)
	}
	if len(encoded) != base64.RawStdEncoding.EncodedLen(len(f)) {
		return f, fmt.Errorf("fingerprint has %d characters after %q, not 43: copy the whole line the peer printed", len(encoded), fingerprintPrefix)
	}
	raw, err := base64.RawStdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(raw) != len(f) {
		return f, fmt.Errorf("fingerprint is not base64 after %q: copy the whole line the peer printed", fingerprintPrefix)
	}
	copy(f[:], raw)
	return f, nil
}

// MarshalText gives the form of String.
func (f Fingerprint) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads the form of String.
func (f *Fingerprint) UnmarshalText(text []byte) error {
	parsed, err := ParseFingerprint(string(text))
	if err != nil {
		return err
	}
	*f = parsed
	return nil
}
