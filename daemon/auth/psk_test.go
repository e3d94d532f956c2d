package auth

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestT19_OnlyRandomKeys: 32 random octets in one spelling, and nothing else.
func TestT19_OnlyRandomKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bob.psk")
	if err := GeneratePSK(path); err != nil {
		t.Fatal(err)
	}
	key, err := LoadPSK(path)
	if err != nil || len(key.Bytes()) != 32 {
		t.Fatalf("%d octets, %v", len(key.Bytes()), err)
	}
	if err := GeneratePSK(path); err == nil {
		t.Error("a key was overwritten")
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(b string) string { return base64.StdEncoding.EncodeToString([]byte(b)) }
	for name, text := range map[string]string{
		"empty":            "",
		"passphrase":       "correct horse battery staple",
		"words of 32":      encode("correct horse battery staple wow"),
		"zeros":            encode(strings.Repeat("\x00", 32)),
		"a pattern":        encode(strings.Repeat("\x01\x80\x03\xff", 8)),
		"31 octets":        encode(string(key.Bytes()[:31])),
		"33 octets":        encode(string(key.Bytes()) + "\x01"),
		"two lines":        string(good) + string(good),
		"space behind":     strings.TrimSpace(string(good)) + " \n",
		"carriage return":  strings.TrimSpace(string(good)) + "\r\n",
		"line break in it": string(good[:20]) + "\n" + string(good[20:]),
		"hexadecimal":      strings.Repeat("0123456789abcdef", 4),
		"no padding":       strings.TrimRight(string(good), "=\n"),
		"huge":             strings.Repeat(string(good), 10000),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadPSK(path); err == nil {
			t.Errorf("%s: taken", name)
		} else if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "pc5ctl key psk") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
