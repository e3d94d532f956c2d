package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
)

// KeyType is a kind of long-term key. There are two, so that a peer has no choice of weak ones and
// a signature costs the same everywhere.
type KeyType uint8

const (
	Ed25519 KeyType = iota // the default
	P256                   // ECDSA, for a CA or a key store that knows no Ed25519
)

// String gives the word of the command line.
func (t KeyType) String() string {
	switch t {
	case Ed25519:
		return "ed25519"
	case P256:
		return "p256"
	}
	return fmt.Sprintf("key type %d", uint8(t))
}

// MarshalText gives the word of String.
func (t KeyType) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText accepts exactly the words of String.
func (t *KeyType) UnmarshalText(text []byte) error {
	for _, known := range []KeyType{Ed25519, P256} {
		if known.String() == string(text) {
			*t = known
			return nil
		}
	}
	return fmt.Errorf("unknown key type %q: use \"ed25519\" or \"p256\"", text)
}

// generate makes a key. Randomness comes from the runtime, whatever reader it is given.
func (t KeyType) generate() (crypto.Signer, error) {
	if t == P256 {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return private, err
}

// SupportedKey tells whether a public key is of one of the two types.
func SupportedKey(public crypto.PublicKey) bool {
	switch k := public.(type) {
	case ed25519.PublicKey:
		return true
	case *ecdsa.PublicKey:
		return k.Curve == elliptic.P256()
	}
	return false
}
