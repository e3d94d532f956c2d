package dataplane_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

const lanes = 3

// house is an engine with several lanes on real sockets, and several links.
type house struct {
	engine *dataplane.Engine
	at     netip.AddrPort
	links  []*dataplane.Link
	tuns   []*tundev.Fake
}

func newHouse(t *testing.T, links int) *house {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	group, err := udp.ListenGroup(netip.MustParseAddrPort("127.0.0.1:0"), lanes, udp.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	c := dataplane.Config{Conn: group[0], Poller: tundev.NewFakePoller(), Log: log}
	for _, s := range group[1:] {
		c.Lanes = append(c.Lanes, dataplane.Lane{Conn: s, Poller: tundev.NewFakePoller()})
	}
	h := &house{engine: dataplane.New(c), at: group[0].LocalAddr()}
	for i := range links {
		h.tuns = append(h.tuns, tundev.NewFake(fmt.Sprintf("pc5-%d", i)))
		l, err := h.engine.AddLink(fmt.Sprint(i), h.tuns[i])
		if err != nil {
			t.Fatal(err)
		}
		h.links = append(h.links, l)
	}
	return h
}

// TestLanesKeepTheOrder: links are spread over the lanes, each arrives whole and in its order, and keys, links and lanes
// end while packets pass.
func TestLanesKeepTheOrder(t *testing.T) {
	const links, packets = 7, 400
	a, b := newHouse(t, links), newHouse(t, links)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	for _, h := range []*house{a, b} {
		go func() { ended <- h.engine.Run(ctx) }()
		<-h.engine.Ready()
	}
	for i := range links {
		for _, first := range []bool{true, false} {
			c := contextOf(session+uint16(i), first)
			c.ID.Local, c.ID.Peer, c.Endpoint = underlay.LayerTwoID(100+i), underlay.LayerTwoID(200+i), b.at
			l := a.links[i]
			if !first {
				c.ID.Local, c.ID.Peer, c.Endpoint = c.ID.Peer, c.ID.Local, a.at
				l = b.links[i]
			}
			install(t, l, c)
		}
	}
	sent := make([]int, links)
	next := make([]uint32, links)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		busy := false
		for i := range links {
			// Few wait at a time: neither queue nor socket overflows.
			for sent[i] < packets && sent[i]-int(next[i]) < 50 {
				p := packet(addrA, addrB, 200, byte(i))
				binary.BigEndian.PutUint32(p[20:], uint32(sent[i]))
				a.tuns[i].Deliver(p)
				sent[i]++
			}
			for len(b.tuns[i].Packets()) > 0 {
				got := <-b.tuns[i].Packets()
				if n := binary.BigEndian.Uint32(got[20:]); n != next[i] || got[30] != byte(i) {
					t.Fatalf("link %d: packet %d of link %d, want %d", i, n, got[30], next[i])
				}
				next[i]++
			}
			busy = busy || next[i] < packets
		}
		if !busy {
			break
		}
	}
	for i, n := range next {
		if n != packets {
			t.Errorf("link %d: %d of %d packets: %v, %v", i, n, packets, a.links[i].Counters(), b.links[i].Counters())
		}
	}
	for i := range links {
		a.tuns[i].Deliver(packet(addrA, addrB, 200, 1))
		if err := a.engine.RemoveLink(a.links[i]); err != nil {
			t.Error(err)
		}
	}
	cancel()
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
