package link_test

import (
	"bytes"
	"crypto/tls"
	"slices"
	"testing"
	"time"

	"pc5d/daemon/auth"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/policy"
)

// askedFor is a trust that notes for whom it was asked: whose certificate was shown.
type askedFor struct{ names []string }

func (a *askedFor) Pinned(name string) []policy.Fingerprint {
	a.names = append(a.names, name)
	return nil
}

// TestC5_HiddenIdentities: with private identity neither who listens nor who answers in the
// peer's place, with a key of his own, learns the initiator's name or key; nobody who only listens
// learns the responder's.
func TestC5_HiddenIdentities(t *testing.T) {
	p := newPair(t)
	defer p.close()
	p.a.link.PrivateIdentity = true
	seen := &askedFor{}
	id, err := auth.NewIdentity(keyOf(99), "bob", epoch) // the name is right, the key is his own
	if err != nil {
		t.Fatal(err)
	}
	p.b.config.Auth = auth.New(auth.Config{Identity: id, Trust: seen, Now: func() time.Time { return epoch }, Curves: []tls.CurveID{tls.X25519}})
	p.run()
	if p.a.machine.State() != link.Released || p.a.installed != nil {
		t.Fatalf("an impostor got a link: %v", p.a.machine.State())
	}
	if len(seen.names) != 0 {
		t.Errorf("the impostor was shown certificates of %q", seen.names)
	}
	honest := newPair(t)
	defer honest.close()
	honest.a.link.PrivateIdentity = true
	honest.establish(t)
	for _, e := range []*end{honest.a, honest.b} {
		local := e.config.Auth.Local()
		for _, secret := range [][]byte{[]byte(local.Name), local.Fingerprint[:]} {
			if slices.ContainsFunc(append(p.sent, honest.sent...), func(d []byte) bool { return bytes.Contains(d, secret) }) && local.Name == "alice" {
				t.Errorf("%q stands in a datagram", secret)
			}
		}
	}
	clear := slices.DeleteFunc(slices.Clone(honest.sent), func(d []byte) bool { return d[7] != 0 || d[10] != byte(pc5s.MessageDirectLinkEstablishmentRequest) })
	if len(clear) != 1 || bytes.Contains(clear[0], []byte("bob")) {
		t.Error("the responder's name stands in the request")
	}
}
