package policy

import (
	"encoding/base64"
	"encoding/binary"
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

// aloudGroups is how many groups Aloud has; each is two octets.
const aloudGroups = 8

// Aloud gives the first 128 bits as eight groups of five digits, which two people can compare over
// the telephone. Only all eight groups together mean something: who wants to pass for another key
// must then search 2^128 keys.
func (f Fingerprint) Aloud() string {
	groups := make([]string, aloudGroups)
	for i := range groups {
		groups[i] = fmt.Sprintf("%05d", binary.BigEndian.Uint16(f[2*i:]))
	}
	return strings.Join(groups, " ")
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
