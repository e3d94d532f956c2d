package dataplane_test

import (
	"net/netip"
	"slices"
	"testing"

	"pc5d/dataplane"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/udp"
)

var elsewhereA = netip.MustParseAddrPort("[2001:db8::7]:40000")

// heardAt is what an engine told of a peer at another address.
type heardAt struct {
	id     dataplane.ContextID
	from   netip.AddrPort
	octets int
}

// watched makes b watch where a is, in a mode.
func watched(t *testing.T, mode suite.Mode) (a, b *end, told *[]heardAt, sent *[][]byte) {
	t.Helper()
	network := udp.NewNetwork()
	told, sent = &[]heardAt{}, &[][]byte{}
	a = newEnd(t, network, outerA)
	b = newEndWith(t, network, outerB, func(c *dataplane.Config) {
		c.Elsewhere = func(_ string, id dataplane.ContextID, from netip.AddrPort, octets int) {
			*told = append(*told, heardAt{id, from, octets})
		}
	})
	for _, e := range []*end{a, b} {
		c := contextOf(session, e == a)
		c.Mode = mode
		install(t, e.link, c)
	}
	b.link.WatchPath()
	network.Lose(func(_, _ netip.AddrPort, d []byte) bool {
		*sent = append(*sent, slices.Clone(d))
		return true
	})
	for range 6 {
		a.tun.Deliver(packet(addrA, addrB, 1000, 1))
		a.engine.Turn(a.link.Key())
	}
	return a, b, told, sent
}

// arrives gives b a datagram from an address.
func (e *end) arrives(t *testing.T, from netip.AddrPort, datagrams ...[]byte) {
	t.Helper()
	for _, d := range datagrams {
		e.conn.Inject(from, d, len(d))
	}
	if err := e.engine.Poll(); err != nil {
		t.Fatal(err)
	}
}

// TestT53_T58_Elsewhere: the engine tells of another address of the peer for a record that verified and was
// ahead of all before, once for each WatchPath; not for replayed, overtaken or forged ones, nor for another
// context's. By itself it goes on sending to where it did.
func TestT53_T58_Elsewhere(t *testing.T) {
	_, b, told, sent := watched(t, suite.AEAD)
	records := *sent
	b.arrives(t, outerA, records[0], records[2])
	b.arrives(t, elsewhereA, records[0]) // replayed
	b.arrives(t, elsewhereA, records[1]) // overtaken
	forged := slices.Clone(records[5])
	forged[len(forged)-1] ^= 1
	b.arrives(t, elsewhereA, forged)
	if len(*told) != 0 {
		t.Fatalf("told %+v", *told)
	}
	b.arrives(t, elsewhereA, records[3])
	b.arrives(t, elsewhereA, records[4])
	id := dataplane.ContextID{Local: idB, Peer: idA, Session: session}
	if want := []heardAt{{id, elsewhereA, len(records[3])}}; !slices.Equal(*told, want) {
		t.Fatalf("told %+v, want %+v", *told, want)
	}
	b.link.WatchPath()
	b.arrives(t, outerA, records[5])
	if len(*told) != 1 {
		t.Errorf("told %+v of the address that it sends to", *told)
	}
}

// TestT58_CopyBesideOriginal: in one receive, the copy that comes first is the one that counts, and only
// its octets do.
func TestT58_CopyBesideOriginal(t *testing.T) {
	_, b, told, sent := watched(t, suite.AEAD)
	r := *sent
	b.conn.Inject(elsewhereA, r[0], len(r[0]))
	b.conn.Inject(outerA, r[0], len(r[0]))
	b.conn.Inject(outerA, r[1], len(r[1]))
	b.arrives(t, outerA, r[2])
	if len(*told) != 1 || (*told)[0].from != elsewhereA || (*told)[0].octets != len(r[0]) {
		t.Errorf("told %+v", *told)
	}
}

// TestT58_WithoutIntegrity: where anybody can send records they move nothing.
func TestT58_WithoutIntegrity(t *testing.T) {
	_, b, told, sent := watched(t, suite.Unprotected)
	b.arrives(t, elsewhereA, (*sent)...)
	if b.link.Counters().Received.Packets == 0 || len(*told) != 0 {
		t.Errorf("%d packets received, told %+v", b.link.Counters().Received.Packets, *told)
	}
}
