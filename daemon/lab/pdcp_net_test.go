//go:build net

package lab_test

import (
	"context"
	"testing"
	"time"

	"pc5d/daemon/lab"
	"pc5d/dataplane/underlay"
)

// TestR19_T54_StandardForm: real daemons make a link of the standard form. Pings and TCP, both ways, pass in
// PDUs, of which none shows the payload, while keys and identifiers change.
func TestR19_T54_StandardForm(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	p := pair(t, ctx, build(t), func(p *lab.Pair) {
		for _, n := range []*lab.Node{p.Alice, p.Bob} {
			n.Tail = "[link.user_plane]\nform = \"pdcp\"\n"
			if err := n.Provision(); err != nil {
				t.Fatal(err)
			}
		}
	})
	up(t, ctx, p.Alice)
	secret := []byte("a secret that must not show")
	shown, err := p.Alice.Host.Capture(secret)
	if err != nil {
		t.Fatal(err)
	}
	record, err := p.Bob.Host.Record()
	if err != nil {
		t.Fatal(err)
	}
	const octets = 4 << 20
	for range 2 {
		if _, err := p.Alice.Host.Ping(p.Bob.Four, 2*time.Second); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Alice.Host.Transfer(p.Bob.Host, p.Bob.Four, octets, secret, 20*time.Second); err != nil {
			t.Fatalf("alice to bob: %v: %s", err, p.Alice.Log())
		}
		if _, err := p.Bob.Host.Transfer(p.Alice.Host, p.Alice.Four, octets, secret, 20*time.Second); err != nil {
			t.Fatalf("bob to alice: %v: %s", err, p.Bob.Log())
		}
		if _, err := p.Alice.Client.Rekey(ctx, "bob", 15*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	frames, found, lost, err := shown.Stop()
	if err != nil || found != 0 || frames == 0 {
		t.Errorf("%d of %d frames show the payload, %d not caught, %v", found, frames, lost, err)
	}
	if _, _, _, err := record.Stop(); err != nil {
		t.Fatal(err)
	}
	pdus := 0
	for _, d := range record.Datagrams() {
		h, _, err := underlay.Parse(d.Payload)
		if err != nil || h.LCID != underlay.DRB {
			continue
		}
		if pdus++; h.Form != underlay.FormPDCP {
			t.Fatalf("user data in form %s", h.Form)
		}
	}
	s, err := p.Alice.Client.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	l := s.Links[0]
	t.Logf("%d PDUs captured, %d re-keyings, drops %v", pdus, l.Rekeyings, l.Drops)
	if u := l.Protection.UserPlane; pdus == 0 || u.Form != "pdcp" || u.TagBits != 32 || l.Rekeyings < 2 || l.Drops["unverified"] > 0 {
		t.Errorf("%d PDUs, %+v, %d re-keyings, drops %v", pdus, u, l.Rekeyings, l.Drops)
	}
}
