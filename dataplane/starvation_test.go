package dataplane_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

// TestNoLinkStarvesAtTheIntake: two links have super-packets without end, a third one a small packet.
// The poller names ready devices in the same order each time, as epoll does.
func TestNoLinkStarvesAtTheIntake(t *testing.T) {
	var tuns [3]*tundev.Fake
	var links [3]*dataplane.Link
	s := newSuper(false, 12, 30000, 1348, 0x10, false)
	waits := 0
	poller := keyPoller{func(keys []uint32) (int, error) {
		if waits++; waits > 3000 || waits > 10 && tuns[2].Waiting() == 0 {
			return 0, net.ErrClosed
		}
		n := 0
		for i, tun := range tuns {
			for i < 2 && tun.Waiting() < 60 {
				tun.DeliverAs(s.header, s.packet)
			}
			if tun.Waiting() > 0 {
				keys[n] = links[i].Key()
				n++
			}
		}
		return n, nil
	}}
	e := dataplane.New(dataplane.Config{Conn: udp.NewNetwork().Listen(outerA), Poller: poller, Log: slog.New(slog.DiscardHandler)})
	for i := range tuns {
		tuns[i] = tundev.NewFake("x")
		l, err := e.AddLink(string(rune('a'+i)), tuns[i])
		if err != nil {
			t.Fatal(err)
		}
		c := contextOf(session+uint16(i), true)
		c.Sources = append(c.Sources, netip.PrefixFrom(addrB, 32))
		install(t, l, c)
		links[i] = l
	}
	tuns[2].Deliver(packet(addrA, addrB, 84, 1))
	_ = e.Run(context.Background())
	if tuns[2].Waiting() > 0 {
		t.Errorf("after %d turns, in which the others sent %d and %d packets, the packet of the third link was not even read",
			waits, links[0].Counters().Sent.Packets, links[1].Counters().Sent.Packets)
	}
}
