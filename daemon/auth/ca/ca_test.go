package ca_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/auth"
	"pc5d/daemon/auth/ca"
	"pc5d/daemon/link"
	"pc5d/policy"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// fleet is a CA in a folder, with the time of its operator.
type fleet struct {
	t   *testing.T
	dir string
	now time.Time
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{t: t, dir: filepath.Join(t.TempDir(), "fleet"), now: epoch}
	if _, err := ca.Init(f.dir, "test fleet", epoch); err != nil {
		t.Fatal(err)
	}
	return f
}

// with opens the CA as one command of pc5ctl does.
func (f *fleet) with(do func(*ca.Fleet) error) error {
	f.t.Helper()
	c, err := ca.Open(f.dir, f.now)
	if err != nil {
		f.t.Fatal(err)
	}
	defer c.Close()
	return do(c)
}

// issue certifies a key for a name and returns the file.
func (f *fleet) issue(name, key string, days int) (string, error) {
	f.t.Helper()
	public, err := auth.PublicKey(key)
	if err != nil {
		f.t.Fatal(err)
	}
	var text []byte
	err = f.with(func(c *ca.Fleet) error {
		var err error
		text, err = c.Issue(name, public, days)
		return err
	})
	path := filepath.Join(f.t.TempDir(), name+".crt")
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	return path, err
}

func newKey(t *testing.T, kind auth.KeyType) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if _, err := auth.GenerateKeyOf(kind, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// member is a node of the fleet that trusts every name by certificate.
func (f *fleet) member(name, key, certificate string, crl ...string) *auth.Authentication {
	f.t.Helper()
	id, err := auth.LoadIdentity(key, name, f.now)
	if err == nil {
		id, err = id.LoadCertificate(certificate)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	a := auth.New(auth.Config{
		Identity: id, Trust: nobody{}, Certified: func(string) bool { return true }, Now: func() time.Time { return f.now }, Curves: auth.Classic(),
		Authorities: auth.TrustFiles{CA: []string{filepath.Join(f.dir, "ca.crt")}, CRL: crl}.Load,
	})
	if err := a.Reload(); err != nil {
		f.t.Fatal(err)
	}
	return a
}

type nobody struct{}

func (nobody) Pinned(string) []policy.Fingerprint { return nil }

// meet runs a handshake and gives the initiator's error, or the responder's.
func (f *fleet) meet(client, server *auth.Authentication, name string) error {
	f.t.Helper()
	a, err := client.Initiate(name, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	defer a.Close()
	b, err := server.Respond()
	if err != nil {
		f.t.Fatal(err)
	}
	defer b.Close()
	flight, err := a.Feed(nil)
	for from, to := a, b; err == nil && len(flight) > 0; from, to = to, from {
		flight, err = to.Feed(flight)
	}
	if err == nil && (!a.Complete() || !b.Complete()) {
		return errors.New("not complete")
	}
	return err
}

// TestT16_Fleet: what the CA issues is admitted by the members in both parts, until it is over,
// revoked, or the list is.
func TestT16_Fleet(t *testing.T) {
	f := newFleet(t)
	crl := filepath.Join(f.dir, "ca.crl")
	aliceKey, bobKey := newKey(t, auth.Ed25519), newKey(t, auth.P256)
	aliceFile, err := f.issue("alice", aliceKey, 300)
	if err != nil {
		t.Fatal(err)
	}
	bobFile, err := f.issue("Böb 1", bobKey, 10)
	if err != nil {
		t.Fatal(err)
	}
	refusal := func(err error) link.Refusal {
		var refused *link.RefusedError
		if errors.As(err, &refused) {
			return refused.Refusal
		}
		return 0
	}
	for _, step := range []struct {
		name string
		do   func()
		want link.Refusal
	}{
		{"new", func() {}, 0},
		{"the last day", func() { f.now = epoch.Add(10 * day) }, 0},
		{"over", func() { f.now = epoch.Add(10*day + 6*time.Minute) }, link.RefusedExpired},
		{"renewed", func() { bobFile, err = f.issue("Böb 1", bobKey, 300) }, 0},
		{"list is over", func() { f.now = epoch.Add(31 * day) }, link.RefusedOldRevocationList},
		{"new list", func() { err = f.with(func(c *ca.Fleet) error { return c.MakeList(30) }) }, 0},
		{"revoked", func() {
			err = f.with(func(c *ca.Fleet) error {
				revoked, err := c.Revoke("Böb 1")
				if len(revoked) != 1 { // the first one is over
					t.Errorf("revoked %v", revoked)
				}
				return err
			})
		}, link.RefusedRevoked},
		{"another certificate for the key", func() { bobFile, err = f.issue("Böb 1", bobKey, 30) }, 0},
	} {
		step.do()
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		alice, bob := f.member("alice", aliceKey, aliceFile, crl), f.member("Böb 1", bobKey, bobFile, crl)
		if err := f.meet(alice, bob, "Böb 1"); refusal(err) != step.want || (err == nil) != (step.want == 0) {
			t.Errorf("%s: as responder: %v, want %v", step.name, err, step.want)
		}
		if err := f.meet(bob, alice, "alice"); refusal(err) != step.want || (err == nil) != (step.want == 0) {
			t.Errorf("%s: as initiator: %v, want %v", step.name, err, step.want)
		}
	}
}

// TestT08_OneKeyOneName: a name has one key at a time.
func TestT08_OneKeyOneName(t *testing.T) {
	f := newFleet(t)
	one, two := newKey(t, auth.Ed25519), newKey(t, auth.Ed25519)
	if _, err := f.issue("bob", one, 10); err != nil {
		t.Fatal(err)
	}
	if _, err := f.issue("bob", two, 10); err == nil || !strings.Contains(err.Error(), "pc5ctl ca revoke") {
		t.Errorf("a second key: %v", err)
	}
	if err := f.with(func(c *ca.Fleet) error { _, err := c.Revoke("bob"); return err }); err != nil {
		t.Fatal(err)
	}
	if _, err := f.issue("bob", two, 10); err != nil {
		t.Errorf("after the revocation: %v", err)
	}
	f.now = epoch.Add(10 * day)
	if _, err := f.issue("bob", one, 10); err != nil {
		t.Errorf("after the end: %v", err)
	}
}

// TestRevoke: by name, by serial number and by file; nothing of another CA, and nothing twice.
func TestRevoke(t *testing.T) {
	f, other := newFleet(t), newFleet(t)
	key := newKey(t, auth.Ed25519)
	files := map[string]string{}
	for _, name := range []string{"name", "serial", "file"} {
		var err error
		if files[name], err = f.issue(name, newKey(t, auth.Ed25519), 10); err != nil {
			t.Fatal(err)
		}
	}
	foreign, err := other.issue("bob", key, 10)
	if err != nil {
		t.Fatal(err)
	}
	var serial string
	if err := f.with(func(c *ca.Fleet) error { serial = c.List()[1].Serial; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, want string }{
		{"name", ""}, {serial, ""}, {files["file"], ""}, {"name", "nothing that is good"}, {foreign, "did not issue it"}, {"nobody", "no file"}, {key, "CERTIFICATE"},
	} {
		err := f.with(func(fleet *ca.Fleet) error { _, err := fleet.Revoke(c.what); return err })
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("revoke %s: %v, want %q", c.what, err, c.want)
		}
	}
	text, err := os.ReadFile(filepath.Join(f.dir, "ca.crl"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil || len(list.RevokedCertificateEntries) != 3 || list.Number.Int64() != 4 {
		t.Errorf("the list: %v, %+v", err, list)
	}
}

// TestRefusals: what cannot be certified, and a folder that cannot be trusted.
func TestRefusals(t *testing.T) {
	f := newFleet(t)
	key := newKey(t, auth.Ed25519)
	private, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := auth.PublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, name, want string
		text             []byte
		days             int
	}{
		{"private key", "bob", "nobody but its node", private, 10},
		{"two keys", "bob", "exactly one", append(public, public...), 10},
		{"no key", "bob", "pc5ctl key pub", []byte("bob"), 10},
		{"no name", "", "UTF-8", public, 10},
		{"long name", strings.Repeat("x", 129), "UTF-8", public, 10},
		{"hidden name", "b\u202eob", "nobody can read", public, 10},
		{"no time", "bob", "1 to 3650", public, 0},
		{"longer than the CA", "bob", "longer than the CA", public, 3650},
	} {
		f.now = epoch.Add(day)
		err := f.with(func(fleet *ca.Fleet) error { _, err := fleet.Issue(c.name, c.text, c.days); return err })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
	if info, err := os.Stat(filepath.Join(f.dir, "ca.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key: %v, %v", info.Mode(), err)
	}
	if _, err := ca.Init(f.dir, "again", epoch); err == nil {
		t.Error("a second CA in one folder")
	}
	held, err := ca.Open(f.dir, epoch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Open(f.dir, epoch); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("opened twice: %v", err)
	}
	held.Close()
	for file, text := range map[string]string{"index.json": `{"crl_number": 1, "certificate": []}`, "ca.key": string(private)} {
		path := filepath.Join(f.dir, file)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ca.Open(f.dir, epoch); err == nil || !strings.Contains(err.Error(), "bring") {
			t.Errorf("wrong %s: %v", file, err)
		}
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(f.dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
