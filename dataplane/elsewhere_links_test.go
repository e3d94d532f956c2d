package dataplane_test

import (
	"net/netip"
	"slices"
	"testing"

	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

// TestT58_ElsewhereOfSeveralLinks: two links of a peer that moved are heard in one batch. Both are told, or are
// watched on: one that is neither is never followed.
func TestT58_ElsewhereOfSeveralLinks(t *testing.T) {
	network := udp.NewNetwork()
	var told []string
	a := newEnd(t, network, outerA)
	b := newEndWith(t, network, outerB, func(c *dataplane.Config) {
		c.Elsewhere = func(link string, _ dataplane.ContextID, _ netip.AddrPort, _ int) { told = append(told, link) }
	})
	links := map[*end][]*dataplane.Link{}
	tuns := map[*end][]*tundev.Fake{}
	for _, e := range []*end{a, b} {
		tun := tundev.NewFake("pc5-y")
		l, err := e.engine.AddLink("y", tun)
		if err != nil {
			t.Fatal(err)
		}
		links[e], tuns[e] = []*dataplane.Link{e.link, l}, []*tundev.Fake{e.tun, tun}
		for i, l := range links[e] {
			install(t, l, contextOf(session+uint16(i), e == a))
		}
	}
	var sent [][]byte
	network.Lose(func(_, _ netip.AddrPort, d []byte) bool { sent = append(sent, slices.Clone(d)); return true })
	for range 2 {
		for i, l := range links[a] {
			tuns[a][i].Deliver(packet(addrA, addrB, 1000, 1))
			a.engine.Turn(l.Key())
		}
	}
	for _, l := range links[b] {
		l.WatchPath()
	}
	b.arrives(t, elsewhereA, sent[0], sent[1])
	b.arrives(t, elsewhereA, sent[2], sent[3])
	if slices.Sort(told); !slices.Equal(told, []string{"x", "y"}) {
		t.Errorf("told of links %v, want each once", told)
	}
}
