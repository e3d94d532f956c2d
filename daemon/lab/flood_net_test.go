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
	floodTries = 3
	floodRate  = 30_000 // in a second
)

// TestT30_Flood: requests in the names of many addresses come at a high rate: of 65,534 behind a router,
// and of 126 neighbours who are not there, whose answers the kernel keeps for seconds. An honest peer
// gets its link within three tries and packets through it; the flood leaves no machine, no memory and no
// lines of the log.
func TestT30_Flood(t *testing.T) {
	pc5d := build(t)
	for name, c := range map[string]struct {
		victims string
		route   bool
	}{"far": {"10.66.0.0/16", true}, "neighbours": {"192.0.2.128/25", false}} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			p := pair(t, ctx, pc5d, func(*lab.Pair) {})
			victims := netip.MustParsePrefix(c.victims)
			if c.route {
				if err := p.B.Route(victims, p.A); err != nil {
					t.Fatal(err)
				}
			}
			flooded(t, ctx, p, victims)
		})
	}
}

// flooded lets bob's host be flooded while alice makes her link.
func flooded(t *testing.T, ctx context.Context, p *lab.Pair, victims netip.Prefix) {
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
		sent, err = p.A.Flood(flood, victims, netip.AddrPortFrom(p.B.Address, port), floodRate, forged())
		ended <- err
	}()
	time.Sleep(5 * time.Second) // until buffers are as full as they get
	tries := 1
	for ; tries <= floodTries; tries++ {
		s, err := p.Alice.Client.Up(ctx, "bob", 20*time.Second)
		if err == nil && s.State == "established" {
			break
		}
		t.Logf("try %d: %s, %v", tries, s.State, err)
	}
	took := time.Since(begin)
	if tries > floodTries {
		t.Errorf("no link after %d tries: %s", floodTries, p.Alice.Log())
	} else if !eventually(ctx, func() bool { _, err := p.Alice.Host.Ping(p.Bob.Four, 100*time.Millisecond); return err == nil }) {
		t.Error("no packet gets through under the flood") // the path may lose some
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	s, err := p.Bob.Client.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	after, err := p.Bob.Usage()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Count(p.Bob.Log(), "\n")
	t.Logf("%d requests, %+v, %v; link at try %d, %v after the flood began; %v, before %v; %d lines of log",
		sent, s.Strangers, s.Drops, tries, took.Round(time.Millisecond), after, before, lines)
	if s.Strangers.Cookies < 1000 || s.Strangers.HalfOpen != 0 || s.Strangers.Admitted > floodTries*6 {
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
