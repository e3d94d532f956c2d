//go:build net

package lab_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/auth"
	"pc5d/daemon/auth/ca"
	"pc5d/daemon/lab"
)

// TestT16_CA_Reload: two daemons that know of each other only the name and the CA make a link; after
// SIGHUP with a list that revokes one of them it is gone at both ends, and stays so.
func TestT16_CA_Reload(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	pc5d, fleet := build(t), filepath.Join(t.TempDir(), "fleet")
	if _, err := ca.Init(fleet, "lab", time.Now()); err != nil {
		t.Fatal(err)
	}
	p := pair(t, ctx, pc5d, func(p *lab.Pair) {
		for _, n := range []*lab.Node{p.Alice, p.Bob} {
			certify(t, fleet, n)
		}
	})
	up(t, ctx, p.Alice)
	if _, err := p.Alice.Host.Ping(p.Bob.Four, time.Second); err != nil {
		t.Error(err)
	}
	s, err := p.Alice.Client.Status(ctx)
	if err != nil || s.Links[0].Trust != "ca" || s.Links[0].CertificateEnd.IsZero() || s.Node.CertificateEnd.IsZero() {
		t.Errorf("status: %+v, %v", s, err)
	}
	if err := withFleet(fleet, func(f *ca.Fleet) error { _, err := f.Revoke("bob"); return err }); err != nil {
		t.Fatal(err)
	}
	if err := p.Alice.HangUp(); err != nil {
		t.Fatal(err)
	}
	for {
		s, err := p.Alice.Client.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if l := s.Links[0]; l.State != "established" && strings.Contains(l.LastError, "revoked") {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if _, err := p.Alice.Host.Ping(p.Bob.Four, 500*time.Millisecond); err == nil {
		t.Error("packets still pass")
	}
	if s, err := p.Bob.Client.Up(ctx, "alice", 2*time.Second); err == nil && s.State == "established" {
		t.Error("bob called, and was let in")
	}
}

// certify lets a node show a certificate of the fleet and trust its peer by one.
func certify(t *testing.T, fleet string, n *lab.Node) {
	t.Helper()
	public, err := auth.PublicKey(n.Key())
	if err != nil {
		t.Fatal(err)
	}
	certificate := n.Key() + ".crt"
	err = withFleet(fleet, func(f *ca.Fleet) error {
		text, err := f.Issue(n.Host.Name, public, 30)
		if err != nil {
			return err
		}
		return os.WriteFile(certificate, text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	n.Own = fmt.Sprintf("certificate = %q\nca = [%q]\ncrl = [%q]", certificate, filepath.Join(fleet, "ca.crt"), filepath.Join(fleet, "ca.crl"))
	n.Trust = `trust = "ca"`
	if err := n.Provision(); err != nil {
		t.Fatal(err)
	}
}

func withFleet(dir string, do func(*ca.Fleet) error) error {
	f, err := ca.Open(dir, time.Now())
	if err != nil {
		return err
	}
	defer f.Close()
	return do(f)
}
