package ca_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pc5d/daemon/auth"
	"pc5d/daemon/auth/ca"
)

// list reads the revocation list as it stands in the folder.
func (f *fleet) list() *x509.RevocationList {
	f.t.Helper()
	block, _ := pem.Decode(f.read("ca.crl"))
	if block == nil {
		f.t.Fatal("no list")
	}
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

func (f *fleet) read(name string) []byte {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

func (f *fleet) write(name string, text []byte) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), text, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func nothing(*ca.Fleet) error { return nil }

// TestRevokeBySerialOfOthers: other programs write a serial number with all its zeros, in capitals, and with
// colons.
func TestRevokeBySerialOfOthers(t *testing.T) {
	f := newFleet(t)
	for _, form := range []func(string) string{
		func(s string) string { return "00" + s },
		strings.ToUpper,
		func(s string) string { return s[:2] + ":" + s[2:] },
	} {
		if _, err := f.issue("bob", newKey(t, auth.Ed25519), 10); err != nil {
			t.Fatal(err)
		}
		if err := f.with(func(c *ca.Fleet) error {
			all := c.List()
			_, err := c.Revoke(form(all[len(all)-1].Serial))
			return err
		}); err != nil {
			t.Error(err)
		}
	}
}

// TestT16_CrashInsideRevoke: a power cut after the index says revoked and before the list does. Whatever
// command is next makes the list whole, because nobody would look for it.
func TestT16_CrashInsideRevoke(t *testing.T) {
	f := newFleet(t)
	if _, err := f.issue("bob", newKey(t, auth.Ed25519), 10); err != nil {
		t.Fatal(err)
	}
	before := f.read("ca.crl")
	if err := f.with(func(c *ca.Fleet) error { _, err := c.Revoke("bob"); return err }); err != nil {
		t.Fatal(err)
	}
	number := f.list().Number
	for name, crash := range map[string]func(){
		"older list": func() { f.write("ca.crl", before) },
		"no list":    func() { os.Remove(filepath.Join(f.dir, "ca.crl")) },
		"torn list":  func() { f.write("ca.crl", before[:40]) },
	} {
		crash()
		if err := f.with(nothing); err != nil {
			t.Fatal(err)
		}
		if l := f.list(); len(l.RevokedCertificateEntries) != 1 || l.Number.Cmp(number) <= 0 {
			t.Errorf("%s: %d revoked, number %v", name, len(l.RevokedCertificateEntries), l.Number)
		}
	}
	whole := f.list()
	if err := f.with(nothing); err != nil || f.list().Number.Cmp(whole.Number) != 0 {
		t.Errorf("a whole list is made anew: %v", err)
	}
}

// TestT16_OldIndex: an index from a backup has not heard of the last revocations; no list is made of it
// that forgets them.
func TestT16_OldIndex(t *testing.T) {
	f := newFleet(t)
	if _, err := f.issue("bob", newKey(t, auth.Ed25519), 10); err != nil {
		t.Fatal(err)
	}
	backup := f.read("index.json")
	if err := f.with(func(c *ca.Fleet) error { _, err := c.Revoke("bob"); return err }); err != nil {
		t.Fatal(err)
	}
	f.write("index.json", backup)
	if _, err := ca.Open(f.dir, f.now); err == nil || !strings.Contains(err.Error(), "older than") {
		t.Errorf("opened: %v", err)
	}
	if l := f.list(); len(l.RevokedCertificateEntries) != 1 {
		t.Errorf("%d revoked", len(l.RevokedCertificateEntries))
	}
}

// TestInitLeavesNothing: an init that fails can be tried again, one that was cut off says what to do, and
// the name of a CA is one that people can read.
func TestInitLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "fleet")
	for _, name := range []string{"", "a\nb", strings.Repeat("x", 65), "\xff"} {
		if _, err := ca.Init(dir, name, epoch); err == nil || !strings.Contains(err.Error(), "name") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := ca.Init(dir, "fleet", epoch.AddDate(7995, 0, 0)); err == nil { // certificates end with the year 9999
		t.Fatal("no error")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	other := newFleet(t)
	certificate := other.read("ca.crt")
	if err := os.Remove(filepath.Join(other.dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Init(other.dir, "fleet", epoch); err == nil || !bytes.Equal(other.read("ca.crt"), certificate) {
		t.Errorf("over a CA whose key is elsewhere: %v", err)
	}
	if _, err := auth.GenerateKeyOf(auth.P256, filepath.Join(dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Open(dir, epoch); err == nil || !strings.Contains(err.Error(), "remove") {
		t.Errorf("cut off: %v", err)
	}
}
