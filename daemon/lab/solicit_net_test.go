//go:build net

package lab_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"pc5d/daemon/lab"
)

// TestSolicit: one request to the segment's broadcast address brings the provisioned link up.
func TestSolicit(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	p := pair(t, ctx, build(t), func(*lab.Pair) {})
	s, err := p.Alice.Client.Solicit(ctx, netip.MustParseAddrPort("192.0.2.255:33536"), "ip", 2*time.Second)
	if err != nil || s.Links[0].State != "established" {
		t.Fatalf("%+v, %v: %s", s.Links, err, p.Alice.Log())
	}
	if _, err := p.Alice.Host.Ping(p.Bob.Four, time.Second); err != nil {
		t.Error(err)
	}
	// The link is up: asking again leaves it as it is. An update gives it an L2 ID of its own.
	before := s.Links[0].Since
	if s, err = p.Alice.Client.Solicit(ctx, netip.MustParseAddrPort("192.0.2.255:33536"), "ip", time.Second); err != nil || !s.Links[0].Since.Equal(before) {
		t.Errorf("asked again: %+v, %v", s.Links, err)
	}
	if _, err := p.Alice.Client.Update(ctx, "bob", 10*time.Second); err != nil {
		t.Error(err)
	}
	if _, err := p.Alice.Host.Ping(p.Bob.Four, time.Second); err != nil {
		t.Error(err)
	}
}
