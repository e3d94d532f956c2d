package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pc5ctl runs one command and returns what it prints.
func pc5ctl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	c := root()
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&out)
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

// TestCA is the life of a small fleet, as docs/operations.md tells it.
func TestCA(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	must := func(args ...string) string {
		t.Helper()
		out, err := pc5ctl(t, args...)
		if err != nil {
			t.Fatalf("pc5ctl %s: %v", strings.Join(args, " "), err)
		}
		return out
	}
	keep := func(name, text string) string {
		t.Helper()
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return in(name)
	}
	fp := must("key", "gen", "--type", "p256", in("bob.key"))
	if must("key", "fingerprint", in("bob.key")) != fp {
		t.Error("another fingerprint")
	}
	if !strings.HasPrefix(must("ca", "init", in("fleet"), "--name", "test"), "SHA256:") {
		t.Error("no fingerprint of the CA")
	}
	pub := keep("bob.pub", must("key", "pub", in("bob.key")))
	crt := keep("bob.crt", must("ca", "issue", "--ca", in("fleet"), "bob", pub, "--days", "30"))
	if list := must("ca", "list", "--ca", in("fleet")); !strings.Contains(list, `good   "bob"`) || !strings.Contains(list, strings.TrimSpace(fp)) {
		t.Errorf("list:\n%s", list)
	}
	provisioning := "[node]\nname = \"alice\"\nidentity = \"bob.key\"\nca = [\"fleet/ca.crt\"]\ncrl = [\"fleet/ca.crl\"]\n[[link]]\nname = \"bob\"\ntrust = \"ca\"\n"
	must("check", keep("pc5d.toml", provisioning))
	must("ca", "revoke", "--ca", in("fleet"), crt)
	if list := must("ca", "list", "--ca", in("fleet")); !strings.Contains(list, `revoked  "bob"`) {
		t.Errorf("list:\n%s", list)
	}
	must("ca", "crl", "--ca", in("fleet"), "--days", "7")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"ca", []string{"ca", "list"}},
		{"pc5ctl ca init", []string{"ca", "list", "--ca", in("nowhere")}},
		{"ed25519", []string{"key", "gen", "--type", "rsa", in("x")}},
		{"nobody but its node", []string{"ca", "issue", "--ca", in("fleet"), "carol", in("bob.key")}},
		{"nothing that is good", []string{"ca", "revoke", "--ca", in("fleet"), "bob"}},
	} {
		if out, err := pc5ctl(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("pc5ctl %s: %v, want %q\n%s", strings.Join(c.args, " "), err, c.want, out)
		}
	}
}
