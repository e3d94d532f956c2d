package dataplane_test

import (
	"bytes"
	"net/netip"
	"testing"

	"pc5d/dataplane"
	"pc5d/dataplane/udp"
)

// TestR18_NoEarlyData: before a link has keys its packets are dropped and counted, and records of
// the peer reach nothing.
func TestR18_NoEarlyData(t *testing.T) {
	network := udp.NewNetwork()
	a, b := newEnd(t, network, outerA), newEnd(t, network, outerB)
	onWire := 0
	var wire []byte
	network.Lose(func(_, _ netip.AddrPort, d []byte) bool { onWire++; wire = bytes.Clone(d); return true })
	p := packet(addrA, addrB, 100, 1)
	early := func(e *end, want uint64) {
		t.Helper()
		e.tun.Deliver(p)
		e.engine.Turn(e.link.Key())
		if c := e.link.Counters(); onWire != 0 || c.Sent.Packets != 0 || c.Drops.Of(dataplane.DropLinkDown) != want {
			t.Fatalf("%d datagrams, %+v", onWire, c)
		}
	}
	early(a, 1)
	if err := a.link.Install(contextOf(session, true)); err != nil {
		t.Fatal(err)
	}
	early(a, 2) // installed is not yet sending
	if err := a.link.Activate(contextOf(session, true).ID); err != nil {
		t.Fatal(err)
	}
	a.tun.Deliver(p)
	a.engine.Turn(a.link.Key())
	if onWire != 1 {
		t.Fatalf("%d datagrams of a link with keys", onWire)
	}
	b.conn.Inject(outerA, wire, len(wire))
	if err := b.engine.Poll(); err != nil {
		t.Fatal(err)
	}
	if drops := b.engine.Drops(); drops.Of(dataplane.DropUnknownContext) != 1 || len(b.tun.Packets()) != 0 {
		t.Fatalf("%d packets of a peer whose keys are not here yet, drops %v", len(b.tun.Packets()), drops)
	}
}
