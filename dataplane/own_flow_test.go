package dataplane_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"pc5d/dataplane"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

// carrying is a UDP packet with a datagram in it.
func carrying(six bool, options int, from, to netip.AddrPort, datagram []byte) []byte {
	ip := 20 + options
	p := packet(from.Addr(), to.Addr(), ip+8+len(datagram), 0)
	p[0], p[9] = 0x40|byte(ip/4), 17
	if six {
		ip = 40
		p = packet6("2001:db8::1", "2001:db8::2", ip+8+len(datagram))
		p[6] = 17
	}
	binary.BigEndian.PutUint16(p[ip:], from.Port())
	binary.BigEndian.PutUint16(p[ip+2:], to.Port())
	binary.BigEndian.PutUint16(p[ip+4:], uint16(8+len(datagram)))
	copy(p[ip+8:], datagram)
	return p
}

// outgoing is what a link sends for one packet.
func outgoing(t *testing.T, e *end, network *udp.Network) []byte {
	t.Helper()
	var sent []byte
	network.Lose(func(_, _ netip.AddrPort, d []byte) bool {
		sent = bytes.Clone(d)
		return true
	})
	e.tun.Deliver(packet(addrA, addrB, 100, 7))
	e.engine.Turn(e.link.Key())
	if sent == nil {
		t.Fatal("nothing was sent")
	}
	return sent
}

// TestT62_OwnFlow: what a link has sent does not go into a link again, and nothing else is taken for it.
func TestT62_OwnFlow(t *testing.T) {
	a, _, network := newPair(t)
	record := outgoing(t, a, network)
	signal := append(underlay.Header{Form: underlay.FormPDCP, Destination: idB, Source: idA, LCID: underlay.SRB2}.AppendTo(nil), "protected"...)
	foreign := bytes.Clone(record)
	foreign[3] ^= 1 // the link of a host behind this one
	back := underlay.Header{Form: underlay.FormRecord, Destination: idA, Source: idB, LCID: underlay.DRB}.AppendTo(nil)
	back = append(back, record[8:]...)
	fragment := carrying(false, 0, outerA, outerB, record)
	fragment[7] = 1
	tcp := carrying(false, 0, outerA, outerB, record)
	tcp[9] = 6
	for _, c := range []struct {
		name   string
		packet []byte
		own    bool
	}{
		{"record by IPv4", carrying(false, 0, outerA, outerB, record), true},
		{"record by IPv4 with options", carrying(false, 8, outerA, outerB, record), true},
		{"record by IPv6", carrying(true, 0, outerA, outerB, record), true},
		{"record from another port", carrying(false, 0, netip.AddrPortFrom(addrA, 4000), outerB, record), true},
		{"signalling", carrying(false, 0, outerA, outerB, signal), true},
		{"another host's record", carrying(false, 0, outerA, outerB, foreign), false},
		{"the peer's record", carrying(false, 0, outerB, outerA, back), false},
		{"a fragment's rest", fragment, false},
		{"TCP", tcp, false},
		{"other datagrams", carrying(false, 0, outerA, outerB, []byte("hello, this is nothing of a link")), false},
		{"a short datagram", carrying(false, 0, outerA, outerB, record[:7]), false},
		{"no UDP header", carrying(false, 0, outerA, outerB, nil)[:20], false},
		{"no whole header", packet(addrA, addrB, 19, 17), false},
	} {
		before := a.link.Counters()
		a.tun.Deliver(c.packet)
		a.engine.Turn(a.link.Key())
		after := a.link.Counters()
		dropped := after.Drops.Of(dataplane.DropOwnFlow) - before.Drops.Of(dataplane.DropOwnFlow)
		sent := after.Sent.Packets - before.Sent.Packets
		if c.own != (dropped == 1) || c.own && sent > 0 {
			t.Errorf("%s: %d dropped as own, %d sent", c.name, dropped, sent)
		}
	}
}
