package auth

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"

	"pc5d/daemon/keys"
)

const (
	pskLen = 32
	// fewestOctets is how many different octets a random key has at least: one in 10^17 has fewer.
	fewestOctets = 16
)

// GeneratePSK writes a pre-shared key of 32 random octets, in base64, to a new file that only its
// owner can read.
func GeneratePSK(path string) error {
	key := make([]byte, pskLen)
	rand.Read(key)
	defer clear(key)
	line := append(base64.StdEncoding.AppendEncode(nil, key), '\n')
	defer clear(line)
	return writeKey(path, line)
}

// LoadPSK reads a pre-shared key: 32 octets in base64 on one line. What somebody thought up instead
// of drawing it is refused, as far as that shows (T19), and so is a file that others could have read
// (T70). The caller wipes the key.
func LoadPSK(path string) (keys.Secret, error) {
	b, err := readSecret("pre-shared key", path, "make one with pc5ctl key psk "+path+", and bring it to the peer by a way that nobody reads", checkOwner)
	if err != nil {
		return keys.Secret{}, err
	}
	defer clear(b)
	key, err := parsePSK(bytes.TrimSuffix(b, []byte("\n")))
	if err != nil {
		return keys.Secret{}, fmt.Errorf("pre-shared key %s %w: make one with pc5ctl key psk", path, err)
	}
	return keys.NewSecret(key), nil
}

// parsePSK reads the one spelling of a key.
func parsePSK(text []byte) ([]byte, error) {
	key := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(key, text)
	key = key[:n]
	if err == nil && n == pskLen && base64.StdEncoding.EncodedLen(n) == len(text) && random(key) {
		return key, nil
	}
	clear(key)
	if err == nil && n == pskLen {
		return nil, errors.New("is not random")
	}
	return nil, fmt.Errorf("is not the base64 of %d octets", pskLen)
}

// random tells whether octets look drawn: not words, and not a pattern.
func random(key []byte) bool {
	var seen [256]bool
	different, printable := 0, 0
	for _, b := range key {
		if !seen[b] {
			seen[b] = true
			different++
		}
		if b >= ' ' && b <= '~' {
			printable++
		}
	}
	return different >= fewestOctets && printable < len(key)
}
