package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// run runs pc5ctl and gives what it prints.
func run(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	c := root()
	c.SetArgs(args)
	c.SetOut(&out)
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out.String()
}

// TestKeyFingerprints: a file and its fingerprint are shown the same way.
func TestKeyFingerprints(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	fp := strings.TrimSpace(run(t, "key", "gen", key))
	if got := strings.TrimSpace(run(t, "key", "fingerprint", key)); got != fp {
		t.Errorf("%q, want %q", got, fp)
	}
	aloud := run(t, "key", "fingerprint", "--aloud", key)
	if again := run(t, "key", "fingerprint", "--aloud", fp); again != aloud || len(strings.Fields(aloud)) != 8 {
		t.Errorf("%q and %q", aloud, again)
	}
	if code := run(t, "key", "qr", key); code != run(t, "key", "qr", fp) || !strings.HasSuffix(code, fp+"\n") {
		t.Error("the QR code of the file is not that of its fingerprint")
	}
}

// TestQR: the code is a square with a light border, two modules a character.
func TestQR(t *testing.T) {
	var out bytes.Buffer
	if err := printQR(&out, "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	width := utf8.RuneCountInString(lines[0])
	if len(lines) != (width+1)/2 {
		t.Errorf("%d lines of %d", len(lines), width)
	}
	border := strings.Repeat("█", width)
	for i, l := range lines {
		if utf8.RuneCountInString(l) != width || !strings.HasPrefix(l, "████") || !strings.HasSuffix(l, "████") {
			t.Errorf("line %d: %q", i, l)
		}
		if (i < 2 || i >= len(lines)-2) && l != border {
			t.Errorf("line %d is no border: %q", i, l)
		}
	}
	if err := printQR(&out, strings.Repeat("x", 10000)); err == nil {
		t.Error("10000 octets fit a QR code")
	}
}
