//go:build net

package lab_test

import (
	"context"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/lab"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
)

const (
	floodTries   = 3
	floodMinimum = 20_000 // requests that were answered before and while the honest peer comes
)

// TestT30_Flood: requests in the names of 65,534 addresses come as fast as a process can send them. An
// honest peer gets its link within three tries; the flood leaves no machine, no memory and no lines of the
// log.
func TestT30_Flood(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	p := pair(t, ctx, build(t), func(*lab.Pair) {})
	victims := netip.MustParsePrefix("10.66.0.0/16")
	if err := p.B.Route(victims, p.A); err != nil {
		t.Fatal(err)
	}
	before, err := p.Bob.Usage()
	if err != nil {
		t.Fatal(err)
	}
	flood, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	var sent uint64
	begin := time.Now()
	go func() {
		var err error
		sent, err = p.A.Flood(flood, victims, netip.AddrPortFrom(p.B.Address, port), forged())
		ended <- err
	}()
	cookies := func() uint64 {
		s, err := p.Bob.Client.Status(ctx)
		if err != nil {
			return 0
		}
		return s.Strangers.Cookies
	}
	if !eventually(ctx, func() bool { return cookies() > floodMinimum }) {
		t.Fatalf("the flood does not arrive: %s", p.Bob.Log())
	}
	tries := 1
	for ; tries <= floodTries; tries++ {
		s, err := p.Alice.Client.Up(ctx, "bob", 20*time.Second)
		if err == nil && s.State == "established" {
			break
		}
		t.Logf("try %d: %s, %v", tries, s.State, err)
	}
	if tries > floodTries {
		t.Errorf("no link after %d tries: %s", floodTries, p.Alice.Log())
	} else if !eventually(ctx, func() bool { _, err := p.Alice.Host.Ping(p.Bob.Four, 100*time.Millisecond); return err == nil }) {
		t.Error("no packet gets through under the flood") // the path may lose half of them
	}
	came := cookies()
	eventually(ctx, func() bool { return cookies() > came+floodMinimum })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	took := time.Since(begin)
	s, err := p.Bob.Client.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	after, err := p.Bob.Usage()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Count(p.Bob.Log(), "\n")
	t.Logf("%d requests in %v, %d answered; the honest peer had its link at try %d; %v, before %v; %d lines of log",
		sent, took.Round(time.Millisecond), s.Strangers.Cookies, tries, after, before, lines)
	if s.Strangers.HalfOpen != 0 || s.Strangers.Admitted > floodTries {
		t.Errorf("strangers: %+v", s.Strangers)
	}
	if grown := after.Resident - before.Resident; grown > 8<<20 {
		t.Errorf("the memory has grown by %d octets", grown)
	}
	if limit := 20 + 4*int(took/time.Second); lines > limit {
		t.Errorf("%d lines of log:\n%s", lines, p.Bob.Log())
	}
}

// forged makes establishment requests that differ.
func forged() func(n uint64) []byte {
	msb := uint8(1)
	return func(n uint64) []byte {
		var nonce [16]byte
		binary.BigEndian.PutUint64(nonce[:], n)
		h := underlay.Header{Form: underlay.FormPDCP, Destination: underlay.Broadcast, Source: underlay.LayerTwoID(1 + n%0xFFFFF0), LCID: underlay.SRB0}
		return pdcp.AppendUnprotected(h.AppendTo(nil), 0, pc5s.Marshal(&pc5s.DirectLinkEstablishmentRequest{
			SourceUserInfo: []byte("alice"), TargetUserInfo: []byte("bob"), Nonce1: &nonce, KNRPSessMSB: &msb, Capabilities: pc5s.Capabilities{0x20, 0x20, 0x80},
			KeyEstablishmentInfo: (&kei.Offer{Methods: []kei.Method{kei.TLS13}}).AppendTo(nil), ProSeIdentifiers: pc5s.ServiceIdentifier("ip"),
		}))
	}
}
