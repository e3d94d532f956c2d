package dataplane_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"pc5d/dataplane"
)

func packet6(source, destination string, n int) []byte {
	p := make([]byte, n)
	p[0] = 0x60
	binary.BigEndian.PutUint16(p[4:], uint16(n-40))
	s, d := netip.MustParseAddr(source).As16(), netip.MustParseAddr(destination).As16()
	copy(p[8:], s[:])
	copy(p[24:], d[:])
	return p
}

func packet4(source, destination string) []byte {
	return packet(netip.MustParseAddr(source), netip.MustParseAddr(destination), 40, 0)
}

var filter = dataplane.Context{
	Sources:      []netip.Prefix{netip.MustParsePrefix("10.9.0.2/32"), netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("fd00:2::/64"), netip.MustParsePrefix("0.0.0.0/32"), netip.MustParsePrefix("::/127")},
	Destinations: []netip.Prefix{netip.MustParsePrefix("10.9.0.1/32"), netip.MustParsePrefix("fd00:1::/64")},
}

func TestT57InnerFilter(t *testing.T) {
	short := packet4("10.9.0.2", "10.9.0.1")
	short[3]--
	options := packet4("10.9.0.2", "10.9.0.1")
	options[0] = 0x4f // 60 octets of header in 40
	version := packet4("10.9.0.2", "10.9.0.1")
	version[0] = 0x55
	const pass = dataplane.Drop(0xff)
	for _, tt := range []struct {
		name   string
		packet []byte
		want   dataplane.Drop
	}{
		{"IPv4", packet4("10.9.0.2", "10.9.0.1"), pass},
		{"IPv4 behind the peer", packet4("10.20.255.1", "10.9.0.1"), pass},
		{"IPv6", packet6("fd00:2::7", "fd00:1::1", 48), pass},
		{"not the peer's", packet4("10.9.0.3", "10.9.0.1"), dataplane.DropInnerSource},
		{"our own", packet4("10.9.0.1", "10.9.0.1"), dataplane.DropInnerSource},
		{"unspecified source", packet4("0.0.0.0", "10.9.0.1"), dataplane.DropInnerSource},
		{"loopback source", packet6("::1", "fd00:1::1", 48), dataplane.DropInnerSource},
		{"multicast source", packet4("224.0.0.5", "10.9.0.1"), dataplane.DropInnerSource},
		{"mapped source", packet6("::ffff:10.9.0.2", "fd00:1::1", 48), dataplane.DropInnerSource},
		{"through us", packet4("10.9.0.2", "8.8.8.8"), dataplane.DropInnerDestination},
		{"multicast destination", packet4("10.9.0.2", "224.0.0.1"), dataplane.DropInnerDestination},
		{"broadcast destination", packet4("10.9.0.2", "255.255.255.255"), dataplane.DropInnerDestination},
		{"loopback destination", packet4("10.9.0.2", "127.0.0.1"), dataplane.DropInnerDestination},
		{"length mismatch", short, dataplane.DropInnerMalformed},
		{"header longer than packet", options, dataplane.DropInnerMalformed},
		{"version 5", version, dataplane.DropInnerMalformed},
		{"IPv6 cut off", packet6("fd00:2::7", "fd00:1::1", 48)[:39], dataplane.DropInnerMalformed},
		{"IPv6 length mismatch", packet6("fd00:2::7", "fd00:1::1", 48)[:47], dataplane.DropInnerMalformed},
		{"nothing", nil, dataplane.DropInnerMalformed},
	} {
		got, ok := dataplane.Judge(filter, tt.packet)
		if ok {
			got = pass
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestT57_OtherLinksSources: of two prefixes the longer one has the source, and this host's own addresses
// are nobody's.
func TestT57_OtherLinksSources(t *testing.T) {
	c := dataplane.Context{Sources: []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.7.9.0/24"), netip.MustParsePrefix("::/0"),
	}}
	excluded := []netip.Prefix{
		netip.MustParsePrefix("10.7.0.0/16"), netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("10.7.9.1/32"),
		netip.MustParsePrefix("fd00::/8"),
	}
	for source, want := range map[string]bool{
		"10.1.2.3": true, "10.7.1.1": false, "10.7.9.2": true, "10.7.9.1": false, "10.0.0.1": false, "192.0.2.1": false,
	} {
		if _, got := dataplane.JudgeWithout(c, excluded, packet4(source, "10.9.0.1")); got != want {
			t.Errorf("from %s: passes is %v, want %v", source, got, want)
		}
	}
	for source, want := range map[string]bool{"2001:db8::1": true, "fd00::1": false} {
		if _, got := dataplane.JudgeWithout(c, excluded, packet6(source, "fd00:1::1", 48)); got != want {
			t.Errorf("from %s: passes is %v, want %v", source, got, want)
		}
	}
}

// TestT57_PeersDoNotSteer: neither redirects nor neighbour discovery pass, whatever headers stand in front; errors and
// echoes do.
func TestT57_PeersDoNotSteer(t *testing.T) {
	six := func(next byte, payload ...byte) []byte {
		p := packet6("fd00:2::7", "fd00:1::1", 40+len(payload))
		p[6], p[7] = next, 255
		copy(p[40:], payload)
		return p
	}
	padding := []byte{58, 0, 1, 4, 0, 0, 0, 0}
	long := []byte{60, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	redirect, echo := packet4("10.9.0.2", "10.9.0.1"), packet4("10.9.0.2", "10.9.0.1")
	redirect[9], redirect[20] = 1, 5
	echo[9], echo[20] = 1, 8
	for name, c := range map[string]struct {
		packet []byte
		passes bool
	}{
		"redirect": {redirect, false}, "echo": {echo, true},
		"router advertisement":              {six(58, 134, 0, 0, 0, 0, 0, 0, 0), false},
		"neighbour solicitation":            {six(58, 135, 0, 0, 0, 0, 0, 0, 0), false},
		"redirect over IPv6":                {six(58, 137, 0, 0, 0, 0, 0, 0, 0), false},
		"echo over IPv6":                    {six(58, 128, 0, 0, 0, 0, 0, 0, 0), true},
		"packet too big":                    {six(58, 2, 0, 0, 0, 0, 0, 0, 0), true},
		"behind hop-by-hop options":         {six(0, append(bytes.Clone(padding), 134, 0, 0, 0)...), false},
		"behind two headers":                {six(0, append(append(bytes.Clone(long), padding...), 134, 0, 0, 0)...), false},
		"echo behind two headers":           {six(0, append(append(bytes.Clone(long), padding...), 128, 0, 0, 0)...), true},
		"behind an authentication header":   {six(51, 58, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 134, 0, 0, 0), false},
		"behind a header that is cut":       {six(0, 58, 0, 1), true},
		"behind a header longer than it is": {six(0, 58, 9, 1, 4, 0, 0, 0, 0), true},
		"behind too many":                   {six(0, bytes.Repeat([]byte{0, 0, 1, 4, 0, 0, 0, 0}, 9)...), false},
	} {
		if reason, ok := dataplane.Judge(filter, c.packet); ok != c.passes || !ok && reason != dataplane.DropInnerSteering {
			t.Errorf("%s: %s, %v", name, reason, ok)
		}
	}
}

// FuzzInnerIP: what passes is whole, from the peer and for us.
func FuzzInnerIP(f *testing.F) {
	f.Add(packet4("10.9.0.2", "10.9.0.1"))
	f.Add(packet6("fd00:2::7", "fd00:1::1", 48))
	f.Fuzz(func(t *testing.T, p []byte) {
		if _, ok := dataplane.Judge(filter, p); !ok {
			return
		}
		var length int
		var source, destination netip.Addr
		if p[0]>>4 == 4 {
			length = int(p[2])<<8 | int(p[3])
			source, _ = netip.AddrFromSlice(p[12:16])
			destination, _ = netip.AddrFromSlice(p[16:20])
		} else {
			length = int(p[4])<<8 | int(p[5]) + 40
			source, _ = netip.AddrFromSlice(p[8:24])
			destination, _ = netip.AddrFromSlice(p[24:40])
		}
		in := func(ps []netip.Prefix, a netip.Addr) bool {
			for _, prefix := range ps {
				if prefix.Masked() == netip.PrefixFrom(a, prefix.Bits()).Masked() {
					return true
				}
			}
			return false
		}
		if length != len(p) || !in(filter.Sources, source) || !in(filter.Destinations, destination) {
			t.Fatalf("%x passed", p)
		}
	})
}

// TestT57_GroupsStay: what goes to a group, as the kernel's own router solicitations, leaves no end: no peer lets
// it in, and an idle link is silent.
func TestT57_GroupsStay(t *testing.T) {
	a, _, _ := newPair(t)
	for _, p := range [][]byte{packet4("10.9.0.1", "224.0.0.22"), packet4("10.9.0.1", "239.255.255.250"), packet6("fe80::1", "ff02::2", 48)} {
		a.tun.Deliver(p)
	}
	for range 3 {
		a.engine.Turn(a.link.Key())
	}
	if c := a.link.Counters(); c.Drops.Of(dataplane.DropInnerDestination) != 3 || c.Sent.Records != 0 {
		t.Errorf("counters %+v", c)
	}
	a.tun.Deliver(packet4("10.9.0.1", "10.9.0.2"))
	if a.engine.Turn(a.link.Key()); a.link.Counters().Sent.Packets != 1 {
		t.Errorf("counters %+v", a.link.Counters())
	}
}
