package dataplane_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"pc5d/dataplane"
	"pc5d/dataplane/record"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

var (
	sixA = netip.MustParseAddr("fd09::1")
	sixB = netip.MustParseAddr("fd09::2")
)

// super is a TCP super-packet as the kernel hands one over.
type super struct {
	header  tundev.Header
	packet  []byte
	headers int
}

// newSuper makes one from a to b, with its payload octets by position.
func newSuper(six bool, options, payload, size int, flags byte, ecn bool) super {
	ip, kind := 20, uint8(tundev.GSOTCPv4)
	if six {
		ip, kind = 40, tundev.GSOTCPv6
	}
	if ecn {
		kind |= tundev.GSOECN
	}
	all := ip + 20 + options
	p := make([]byte, all+payload)
	if six {
		p[0], p[6], p[7] = 0x60, 6, 64
		copy(p[8:], sixA.AsSlice())
		copy(p[24:], sixB.AsSlice())
	} else {
		p[0], p[8], p[9] = 0x45, 64, 6
		binary.BigEndian.PutUint16(p[4:], 0xFFF0) // its ID wraps
		p[6] = 0x40
		copy(p[12:], addrA.AsSlice())
		copy(p[16:], addrB.AsSlice())
	}
	tcp := p[ip:]
	binary.BigEndian.PutUint32(tcp[4:], 0xFFFFFF00) // and so does its sequence number
	tcp[12], tcp[13] = byte((20+options)/4)<<4, flags
	for i := range payload {
		p[all+i] = byte(i*7 + i>>8)
	}
	h := tundev.Headers{IP: ip, All: all}
	tundev.PutLengths(p, h)
	return super{
		header:  tundev.Header{Flags: tundev.NeedsChecksum, GSOType: kind, HeaderLen: uint16(all), GSOSize: uint16(size), ChecksumStart: uint16(ip), Checksum: 16},
		packet:  p,
		headers: all,
	}
}

// segments is the reference: what the kernel would make of it.
func (s super) segments(t interface{ Fatal(...any) }) (out [][]byte) {
	err := tundev.Segment(s.header, s.packet, func(b []byte) error {
		out = append(out, bytes.Clone(b))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// newSupers is a pair whose link has addresses of both families; nothing runs.
func newSupers(t testing.TB) (a, b *end, network *udp.Network) {
	t.Helper()
	network = udp.NewNetwork()
	a, b = newEnd(t, network, outerA), newEnd(t, network, outerB)
	for e, c := range map[*end]dataplane.Context{a: contextOf(session, true), b: contextOf(session, false)} {
		c.Sources = append(c.Sources, netip.PrefixFrom(sixA, 128), netip.PrefixFrom(sixB, 128))
		install(t, e.link, c)
	}
	return a, b, network
}

func drawSuper(t *rapid.T) super {
	flags := rapid.SampledFrom([]byte{0x10, 0x18, 0x11, 0x19, 0x98, 0xD8}).Draw(t, "flags")
	size := rapid.SampledFrom([]int{64, 100, 536, 1288, 1348, 1400}).Draw(t, "size")
	return newSuper(rapid.Bool().Draw(t, "six"), 4*rapid.IntRange(0, 10).Draw(t, "options"), rapid.IntRange(size+1, 65000).Draw(t, "payload"), size, flags, rapid.Bool().Draw(t, "ecn"))
}

// TestSuperPacketsArriveWhole: what the host at the other end sees is octet for octet what this host's
// kernel would have sent, with plain packets before and behind in their order.
func TestSuperPacketsArriveWhole(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b, _ := newSupers(t)
		want := expected{}
		for range rapid.IntRange(1, 3).Draw(r, "packets") {
			for range rapid.IntRange(0, 2).Draw(r, "small") {
				p := packet(addrA, addrB, rapid.IntRange(20, 1400).Draw(r, "length"), 5)
				a.tun.Deliver(p)
				want.add(p)
			}
			s := drawSuper(r)
			a.tun.DeliverAs(s.header, s.packet)
			want.add(s.segments(r)...)
			// The fake's queue is short: the packets come out one super-packet at a time.
			a.engine.Turn(a.link.Key())
			for want.left() > 0 {
				if len(b.tun.Packets()) == 0 {
					if err := b.engine.Poll(); err != nil {
						r.Fatal(err)
					}
				}
				for len(b.tun.Packets()) > 0 && want.left() > 0 {
					want.arrived(r, <-b.tun.Packets(), bytes.Equal)
				}
				if drops := b.link.Counters().Drops; drops.Of(dataplane.DropDeviceFull) > 0 {
					return // more segments than the fake's queue takes
				}
			}
		}
	})
}

// TestSuperPacketsUnderLoss: whatever records are lost, what arrives are right TCP segments with the right
// octets at their sequence numbers, and nothing of a lost record; FIN and PSH are the last one's.
func TestSuperPacketsUnderLoss(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b, network := newSupers(t)
		s := drawSuper(r)
		if len(s.segments(r)) > 400 {
			return
		}
		pattern := rapid.Uint64().Draw(r, "pattern")
		var lost, sent int
		network.Lose(func(_, _ netip.AddrPort, d []byte) bool {
			sent++
			if pattern>>(sent%64)&1 == 1 && d[0] == 0x11 {
				lost++
				return true
			}
			return false
		})
		a.tun.DeliverAs(s.header, s.packet)
		a.engine.Turn(a.link.Key())
		if lost == sent {
			return
		}
		for b.conn.Waiting() > 0 || b.engine.Inbox() > 0 {
			if err := b.engine.Poll(); err != nil {
				r.Fatal(err)
			}
		}
		seen, octets := make([]bool, len(s.packet)-s.headers), 0
		for len(b.tun.Packets()) > 0 {
			got := <-b.tun.Packets()
			h, ok := tundev.ParseTCP(got)
			if !ok || h.All != s.headers {
				r.Fatalf("no TCP segment of the flow: %x", got)
			}
			wantChecksums(r, got, h)
			offset := int(binary.BigEndian.Uint32(got[h.IP+4:]) - binary.BigEndian.Uint32(s.packet[h.IP+4:]))
			payload := got[h.All:]
			if offset < 0 || offset+len(payload) > len(seen) || !bytes.Equal(payload, s.packet[s.headers+offset:][:len(payload)]) {
				r.Fatalf("other octets at offset %d", offset)
			}
			for i := range payload {
				if seen[offset+i] {
					r.Fatalf("octet %d twice", offset+i)
				}
				seen[offset+i] = true
			}
			octets += len(payload)
			end := offset+len(payload) == len(seen)
			if flags := got[h.IP+13]; !end && flags&0x09 != 0 || end && flags&0x09 != s.packet[h.IP+13]&0x09 {
				r.Fatalf("flags %02x at offset %d", flags, offset)
			}
		}
		if slice := record.ContentLen - record.SegmentHeaderLen - s.headers; octets < (sent-lost-1)*slice {
			r.Fatalf("%d octets of %d records", octets, sent-lost)
		}
	})
}

func wantChecksums(r *rapid.T, p []byte, h tundev.Headers) {
	pseudo := p[8:40]
	if p[0]>>4 == 4 {
		pseudo = p[12:20]
		if tundev.Sum(0, p[:h.IP]) != 0xFFFF || int(binary.BigEndian.Uint16(p[2:])) != len(p) {
			r.Fatalf("IPv4 header %x", p[:h.IP])
		}
	}
	sum := tundev.Sum(uint32(6+len(p)-h.IP), pseudo)
	if tundev.Sum(uint32(sum), p[h.IP:]) != 0xFFFF {
		r.Fatalf("TCP checksum of %x", p)
	}
}

// TestT57_T63_LyingSegments: an authentic peer says of a slice what it is not. Nothing of it reaches the
// interface, and what comes behind does.
func TestT57_T63_LyingSegments(t *testing.T) {
	s := newSuper(false, 12, 3000, 1348, 0x18, false)
	good := func(change func(f *record.Segment, headers []byte)) []byte {
		f := record.Segment{Kind: record.TCPv4, HeaderLen: s.headers, Size: 1348, Last: true}
		headers := bytes.Clone(s.packet[:s.headers])
		change(&f, headers)
		content := make([]byte, record.SegmentHeaderLen, record.ContentLen)
		f.Put(content, 100)
		return append(append(content, headers...), s.packet[s.headers:s.headers+100]...)
	}
	for name, c := range map[string]struct {
		content []byte
		reason  dataplane.Drop
	}{
		"other kind":          {good(func(f *record.Segment, _ []byte) { f.Kind = record.TCPv6 }), dataplane.DropInnerMalformed},
		"unknown kind":        {good(func(f *record.Segment, _ []byte) { f.Kind = 9 }), dataplane.DropInnerMalformed},
		"longer headers":      {good(func(f *record.Segment, _ []byte) { f.HeaderLen += 4 }), dataplane.DropBadFrame},
		"shorter headers":     {good(func(f *record.Segment, _ []byte) { f.HeaderLen -= 4 }), dataplane.DropInnerMalformed},
		"no headers":          {good(func(f *record.Segment, _ []byte) { f.HeaderLen = 0 }), dataplane.DropInnerMalformed},
		"single octets":       {good(func(f *record.Segment, _ []byte) { f.Size = 1 }), dataplane.DropInnerMalformed},
		"size 0":              {good(func(f *record.Segment, _ []byte) { f.Size = 0 }), dataplane.DropInnerMalformed},
		"IP header too short": {good(func(_ *record.Segment, h []byte) { h[0] = 0x44 }), dataplane.DropInnerMalformed},
		"IP header too long":  {good(func(_ *record.Segment, h []byte) { h[0] = 0x4F }), dataplane.DropInnerMalformed},
		"TCP header too long": {good(func(_ *record.Segment, h []byte) { h[32] = 0xF0 }), dataplane.DropInnerMalformed},
		"a fragment":          {good(func(_ *record.Segment, h []byte) { h[6] = 0x20 }), dataplane.DropInnerMalformed},
		"UDP":                 {good(func(_ *record.Segment, h []byte) { h[9] = 17 }), dataplane.DropInnerMalformed},
		"another source":      {good(func(_ *record.Segment, h []byte) { h[12] = 11 }), dataplane.DropInnerSource},
		"to everybody":        {good(func(_ *record.Segment, h []byte) { copy(h[16:], []byte{255, 255, 255, 255}) }), dataplane.DropInnerDestination},
		"no slice":            {good(func(*record.Segment, []byte) {})[:record.SegmentHeaderLen+s.headers], dataplane.DropBadFrame},
		"half a header":       {[]byte{2, 0x10, 0, 3, 1, 2, 3}, dataplane.DropBadFrame},
	} {
		t.Run(name, func(t *testing.T) {
			_, b, _ := newSupers(t)
			behind := packet(addrA, addrB, 100, 1)
			for i, content := range [][]byte{c.content, record.AppendPacket(nil, behind)} {
				d := sealed(t, recordCount(uint64(i)), content)
				b.conn.Inject(outerA, d, len(d))
			}
			if err := b.engine.Poll(); err != nil {
				t.Fatal(err)
			}
			if drops := b.link.Counters().Drops; drops.Of(c.reason) != 1 {
				t.Errorf("drops %v, want %v", drops, c.reason)
			}
			if got := <-b.tun.Packets(); !bytes.Equal(got, behind) || len(b.tun.Packets()) > 0 {
				t.Errorf("something else reached the interface: %x", got)
			}
		})
	}
}

// TestSuperPacketsAllocateNothing: neither sending nor receiving one.
func TestSuperPacketsAllocateNothing(t *testing.T) {
	a, b, _ := newSupers(t)
	s := newSuper(false, 12, 60480, 1348, 0x10, false)
	if allocs := testing.AllocsPerRun(20, func() {
		a.tun.DeliverAs(s.header, s.packet)
		a.engine.Turn(a.link.Key())
		if err := b.engine.Poll(); err != nil {
			t.Fatal(err)
		}
		for len(b.tun.Packets()) > 0 {
			b.tun.Recycle(<-b.tun.Packets())
		}
	}); allocs > 2 { // of the fake that cuts: its buffer and its function
		t.Errorf("%v allocations", allocs)
	}
	if c := b.link.Counters(); c.Received.Octets == 0 || c.Drops != (dataplane.Drops{}) {
		t.Errorf("%+v", c)
	}
}
