package dataplane_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"

	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
)

// datagram is a UDP packet from a to b whose checksum is left to do, with the header that says so.
func datagram(six bool, port uint16, id uint16, fragments byte, payload []byte) (tundev.Header, []byte) {
	ip := 20
	if six {
		ip = 40
	}
	p := make([]byte, ip+8, ip+8+len(payload))
	p = append(p, payload...)
	if six {
		p[0], p[6], p[7] = 0x60, 17, 64
		copy(p[8:], sixA.AsSlice())
		copy(p[24:], sixB.AsSlice())
	} else {
		p[0], p[6], p[8], p[9] = 0x45, fragments, 64, 17
		binary.BigEndian.PutUint16(p[4:], id)
		copy(p[12:], addrA.AsSlice())
		copy(p[16:], addrB.AsSlice())
	}
	binary.BigEndian.PutUint16(p[ip:], 40000)
	binary.BigEndian.PutUint16(p[ip+2:], port)
	tundev.PutUDPLengths(p, ip)
	return tundev.Header{Flags: tundev.NeedsChecksum, ChecksumStart: uint16(ip), Checksum: 6}, p
}

// TestTrainsOfDatagrams: whatever flows, sizes and IDs come one after the other, the host sees each
// datagram as it was sent, in their order, with its checksum done.
func TestTrainsOfDatagrams(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b, _ := newSupers(t)
		want, sent := expected{}, 0
		id, flags := uint16(0xFFF8), rapid.SampledFrom([]byte{0x40, 0}).Draw(r, "DF")
		size, six, port := 64, false, uint16(1)
		for range rapid.IntRange(1, 150).Draw(r, "packets") {
			if rapid.IntRange(0, 9).Draw(r, "change") == 0 {
				size = rapid.IntRange(1, 1300).Draw(r, "size")
				six, port = rapid.Bool().Draw(r, "six"), uint16(rapid.IntRange(1, 2).Draw(r, "port"))
			}
			if flags == 0 || six {
				id++
			}
			payload := bytes.Repeat([]byte{byte(sent)}, size)
			h, p := datagram(six, port, id, flags, payload)
			done := bytes.Clone(p)
			if err := h.Complete(done); err != nil {
				r.Fatal(err)
			}
			if rapid.IntRange(0, 19).Draw(r, "computed") == 0 {
				h, p = tundev.Header{}, done
			}
			a.tun.DeliverAs(h, p)
			want.add(done)
			sent++
		}
		for want.left() > 0 {
			if len(b.tun.Packets()) == 0 {
				if a.tun.Waiting() > 0 {
					a.engine.Turn(a.link.Key())
				}
				if err := b.engine.Poll(); err != nil {
					r.Fatal(err)
				}
			}
			for len(b.tun.Packets()) > 0 {
				want.arrived(r, <-b.tun.Packets(), sameDatagram)
			}
		}
	})
}

// sameDatagram compares packets, but for the IDs of what is never fragmented, which mean nothing.
func sameDatagram(got, want []byte) bool {
	if want[0]>>4 == 4 && want[6] == 0x40 && len(got) == len(want) {
		got, want = bytes.Clone(got), bytes.Clone(want)
		for _, p := range [][]byte{got, want} {
			clear(p[4:6])
			clear(p[10:12])
		}
	}
	return bytes.Equal(got, want)
}

// TestSuperPacketsOfUDP: the other end sees the datagrams that this host's kernel would have sent, whatever their
// size, and writes them to its device as few packets.
func TestSuperPacketsOfUDP(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b, _ := newSupers(t)
		six, size := rapid.Bool().Draw(r, "six"), rapid.IntRange(1, 1352).Draw(r, "size")
		payload := make([]byte, rapid.IntRange(size+1, min(64*size, 65000)).Draw(r, "payload"))
		for i := range payload {
			payload[i] = byte(i * 7)
		}
		h, p := datagram(six, 9, 0xFFF0, 0x40, payload)
		h.GSOType, h.GSOSize = tundev.GSOUDP, uint16(size)
		want := expected{}
		err := tundev.Segment(h, p, func(d []byte) error { want.add(bytes.Clone(d)); return nil })
		if err != nil {
			r.Fatal(err)
		}
		n := want.left()
		a.tun.DeliverAs(h, p)
		a.engine.Turn(a.link.Key())
		for want.left() > 0 {
			if len(b.tun.Packets()) == 0 {
				if err := b.engine.Poll(); err != nil {
					r.Fatal(err)
				}
			}
			for len(b.tun.Packets()) > 0 {
				want.arrived(r, <-b.tun.Packets(), sameDatagram)
			}
		}
		if sent := a.link.Counters().Sent; sent.Packets != uint64(n) {
			r.Fatalf("%d packets sent, want %d", sent.Packets, n)
		}
		if w := b.tun.Writes(); w > n/32+2 {
			r.Fatalf("%d writes of %d datagrams", w, n)
		}
	})
}

// TestTrainsAreOneWrite: datagrams of one flow reach the device as one packet for each turn of the flow,
// and nothing is allocated.
func TestTrainsAreOneWrite(t *testing.T) {
	a, b, _ := newSupers(t)
	h, p := datagram(false, 7, 9, 0x40, bytes.Repeat([]byte{1}, 64))
	send := func(n int) {
		for range n {
			a.tun.DeliverAs(h, p)
		}
		a.engine.Turn(a.link.Key())
		if err := b.engine.Poll(); err != nil {
			t.Fatal(err)
		}
	}
	before := b.tun.Writes()
	send(60)
	if n := b.tun.Writes() - before; n != 2 { // the first quantum of a flow goes ahead
		t.Errorf("%d writes of 60 datagrams", n)
	}
	if c := b.link.Counters(); c.Received.Packets != 60 || c.Received.Octets != 60*92 || c.Drops != (dataplane.Drops{}) {
		t.Errorf("%+v", c)
	}
	for len(b.tun.Packets()) > 0 {
		b.tun.Recycle(<-b.tun.Packets())
	}
	if allocs := testing.AllocsPerRun(20, func() {
		send(60)
		for len(b.tun.Packets()) > 0 {
			b.tun.Recycle(<-b.tun.Packets())
		}
	}); allocs > 2 { // of the fake that cuts
		t.Errorf("%v allocations", allocs)
	}
}
