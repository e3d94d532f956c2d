package daemon_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/auth"
	"pc5d/daemon/auth/ca"
	"pc5d/daemon/control"
	"pc5d/daemon/link"
	"pc5d/dataplane/udp"
	"pc5d/policy/provision"
)

// newMembers makes two daemons of one fleet, which trust each other by certificate.
func newMembers(t *testing.T) (a, b *site, fleet string) {
	t.Helper()
	fleet = filepath.Join(t.TempDir(), "fleet")
	if _, err := ca.Init(fleet, "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	network := udp.NewNetwork()
	member := func(name string, last byte, life int) *site {
		s := &site{name: name, address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, last}), provision.DefaultPort), inner: netip.AddrFrom4([4]byte{10, 0, 0, last})}
		s.id = issued(t, fleet, name, life)
		s.member = auth.New(auth.Config{
			Identity: s.id, Trust: s, Certified: func(peer string) bool { return peer == s.peer.name }, Now: time.Now, Curves: auth.Classic(),
			Renew: func(id *auth.Identity) (*auth.Identity, error) {
				return id.LoadCertificate(filepath.Join(filepath.Dir(fleet), name+".crt"))
			},
			Authorities: auth.TrustFiles{CA: []string{filepath.Join(fleet, "ca.crt")}, CRL: []string{filepath.Join(fleet, "ca.crl")}}.Load,
		})
		if err := s.member.Reload(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b = member("alice", 1, 10), member("bob", 2, 100)
	a.peer, b.peer = b, a
	a.run(t, network, "", func(*link.Timers) {})
	b.run(t, network, "", func(*link.Timers) {})
	return a, b, fleet
}

// issued makes a key and lets the fleet's CA issue a certificate for it.
func issued(t *testing.T, fleet, name string, days int) *auth.Identity {
	t.Helper()
	key := filepath.Join(filepath.Dir(fleet), name+".key")
	if _, err := auth.GenerateKey(key); err != nil {
		t.Fatal(err)
	}
	certificate := issue(t, fleet, name, days)
	id, err := auth.LoadIdentity(key, name, time.Now())
	if err == nil {
		id, err = id.LoadCertificate(certificate)
	}
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// issue lets the CA issue a certificate for the key that a member has, beside the one before.
func issue(t *testing.T, fleet, name string, days int) (path string) {
	t.Helper()
	file := filepath.Join(filepath.Dir(fleet), name)
	public, err := auth.PublicKey(file + ".key")
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	inFleet(t, fleet, func(f *ca.Fleet) error {
		text, err = f.Issue(name, public, days)
		return err
	})
	if err := os.WriteFile(file+".crt", text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file + ".crt"
}

func inFleet(t *testing.T, fleet string, do func(*ca.Fleet) error) {
	t.Helper()
	f, err := ca.Open(fleet, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := do(f); err != nil {
		t.Fatal(err)
	}
}

// status is what the operator sees of the link.
func (s *site) status(t *testing.T) control.LinkStatus {
	t.Helper()
	status, err := s.node.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return status.Links[0]
}

// becomes waits until the link has one of the states.
func (s *site) becomes(t *testing.T, limit time.Duration, states string) {
	t.Helper()
	end := time.Now().Add(limit)
	for !strings.Contains(states, s.status(t).State) {
		if time.Now().After(end) {
			t.Fatalf("%s: the link is %q (%s), want %s", s.name, s.status(t).State, s.status(t).LastError, states)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestT16_ReloadDropsLinkAndKeptKey: a reload that reads of a revocation drops the live link, one that
// rests on a kept key, and the kept key itself; one that fails changes nothing.
func TestT16_ReloadDropsLinkAndKeptKey(t *testing.T) {
	a, b, fleet := newMembers(t)
	for round := range 2 { // the second one by the key that the first one left
		if s := a.up(); s != "established" || !a.reaches(5*time.Second) {
			t.Fatalf("round %d: %v, %s", round, s, a.status(t).LastError)
		}
		if full := asksToAuthenticate(a.status(t)); full != (round == 0) {
			t.Errorf("round %d: full authentication: %v", round, full)
		}
		if round == 0 {
			a.down()
			b.becomes(t, 5*time.Second, "down")
		}
	}
	if left := time.Until(a.status(t).CertificateEnd); left < 99*24*time.Hour || left > 101*24*time.Hour {
		t.Errorf("the status says that the peer's certificate ends in %v", left)
	}
	inFleet(t, fleet, func(f *ca.Fleet) error { return f.MakeList(30) })
	if r, err := a.node.Reload(t.Context()); err != nil || r.Keys != 0 || !a.reaches(time.Second) {
		t.Errorf("a list that revokes nobody: %+v, %v", r, err)
	}
	inFleet(t, fleet, func(f *ca.Fleet) error { _, err := f.Revoke("bob"); return err })
	list := filepath.Join(fleet, "ca.crl")
	good, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(list, good[:len(good)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.node.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "nothing has changed") || !a.reaches(time.Second) {
		t.Errorf("a list that is torn: %v", err)
	}
	if err := os.WriteFile(list, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := a.node.Reload(t.Context()); err != nil || r.Keys != 1 {
		t.Errorf("the list that revokes bob: %+v, %v", r, err)
	}
	a.becomes(t, 5*time.Second, "waiting failed")
	b.becomes(t, 5*time.Second, "down") // "not allowed" tells it not to come back
	if n, err := a.node.Forget(t.Context(), ""); err != nil || n != 0 {
		t.Errorf("%d keys are still kept, %v", n, err)
	}
	if a.up(); !strings.Contains(a.status(t).LastError, "revoked") {
		t.Errorf("called again: %s", a.status(t).LastError)
	}
	b.order(b.node.Up)
	for end := time.Now().Add(5 * time.Second); !strings.Contains(a.status(t).Hint, "revoked"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("bob called, and alice says: %q", a.status(t).Hint)
		}
	}
	if a.status(t).State == "established" {
		t.Error("bob called, and was let in")
	}
}

// asksToAuthenticate tells whether the last establishment was a full one.
func asksToAuthenticate(s control.LinkStatus) bool {
	full := false
	for _, m := range s.Messages {
		switch {
		case strings.Contains(m.Name, "ESTABLISHMENT REQUEST"):
			full = false
		case strings.Contains(m.Name, "AUTHENTICATION"):
			full = true
		}
	}
	return full
}

// TestT16_RenewedCertificate: with another certificate for its key a node authenticates anew beside the
// link, so that the peer knows how long it is admitted now; a certificate of somebody else changes nothing.
func TestT16_RenewedCertificate(t *testing.T) {
	a, b, fleet := newMembers(t)
	if s := a.up(); s != "established" || !a.reaches(5*time.Second) {
		t.Fatalf("%v, %s", s, a.status(t).LastError)
	}
	ends := func(days int) bool {
		left := time.Until(b.status(t).CertificateEnd)
		return left > time.Duration(days-1)*24*time.Hour && left < time.Duration(days+1)*24*time.Hour
	}
	if !ends(10) {
		t.Fatalf("the certificate ends at %v", b.status(t).CertificateEnd)
	}
	wrong, err := os.ReadFile(filepath.Join(filepath.Dir(fleet), "bob.crt"))
	if err == nil {
		err = os.WriteFile(filepath.Join(filepath.Dir(fleet), "alice.crt"), wrong, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.node.Reload(t.Context()); err == nil {
		t.Error("a certificate of another key was taken over")
	}
	issue(t, fleet, "alice", 50)
	if _, err := a.node.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); !ends(50); time.Sleep(5 * time.Millisecond) {
		if s := a.status(t).State; s != "established" || time.Now().After(end) {
			t.Fatalf("the link is %q, the peer's certificate ends at %v", s, b.status(t).CertificateEnd)
		}
	}
	if !a.reaches(5 * time.Second) {
		t.Error("no packet gets through")
	}
}
