package dataplane_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

// packetIPv6 is an IPv6 packet of n octets, whose first header behind the IPv6 header is next.
func packetIPv6(destination netip.Addr, n int, next byte, headers ...byte) []byte {
	p := make([]byte, n)
	p[0], p[6], p[7] = 0x60, next, 64
	binary.BigEndian.PutUint16(p[4:], uint16(n-40))
	copy(p[8:], sixA.AsSlice())
	copy(p[24:], destination.AsSlice())
	copy(p[40:], headers)
	return p
}

// packetDF is an IPv4 packet with DF, of a protocol.
func packetDF(n int, field uint16, protocol byte, payload ...byte) []byte {
	p := packet(addrA, addrB, n, 0)
	p[9] = protocol
	binary.BigEndian.PutUint16(p[6:], field)
	copy(p[20:], payload)
	return p
}

// TestT59_PacketTooBig: on a path that is known to be narrow, a packet over 1280 octets that its sender
// may be told of is answered, and does not leave; any other one arrives, in parts.
func TestT59_PacketTooBig(t *testing.T) {
	multicast := netip.MustParseAddr("ff02::1")
	for _, tt := range []struct {
		name   string
		packet []byte
		told   bool
	}{
		{"IPv4 with DF", packetDF(1400, 0x4000, 253), true},
		{"IPv4 with DF, a first fragment", packetDF(1400, 0x6000, 253), true},
		{"IPv4 with DF of 1280 octets", packetDF(1280, 0x4000, 253), false},
		{"IPv4", packetDF(1400, 0, 253), false},
		{"IPv4, a later fragment", packetDF(1400, 0x4001, 253), false},
		{"IPv4, ICMP echo", packetDF(1400, 0x4000, 1, 8), true},
		{"IPv4, an ICMP error", packetDF(1400, 0x4000, 1, 3), false},
		{"IPv4, ICMP redirect", packetDF(1400, 0x4000, 1, 5), false},
		{"IPv6", packetIPv6(sixB, 1400, 17), true},
		{"IPv6 of 1280 octets", packetIPv6(sixB, 1280, 17), false},
		{"IPv6, ICMP echo", packetIPv6(sixB, 1400, 58, 128), true},
		{"IPv6, an ICMP error", packetIPv6(sixB, 1400, 58, 2), false},
		{"IPv6, ICMP redirect", packetIPv6(sixB, 1400, 58, 137), false},
		{"IPv6, an ICMP error behind options", packetIPv6(sixB, 1400, 60, 58, 0, 0, 0, 0, 0, 0, 0, 1), false},
		{"IPv6, options without end", packetIPv6(sixB, 1400, 0, 0, 255), false},
		{"IPv6, a first fragment", packetIPv6(sixB, 1400, 44, 17, 0, 0, 1), true},
		{"IPv6, a later fragment", packetIPv6(sixB, 1400, 44, 17, 0, 0, 9), false},
		{"IPv6, multicast", packetIPv6(multicast, 1400, 17), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b, _ := newSupers(t)
			a.setPath(t, 1152, false)
			got := carry(t, a, b, [][]byte{tt.packet})
			answers := len(a.tun.Packets())
			if told := answers == 1; told != tt.told || dropsOf(a, dataplane.DropTooBig) == 1 != tt.told {
				t.Fatalf("%d answers, drops %v", answers, a.link.Counters().Drops)
			}
			if tt.told {
				checkTooBig(t, <-a.tun.Packets(), tt.packet)
			}
			arrives := !tt.told && !bytes.Equal(tt.packet[24:40], multicast.AsSlice()) && dropsOf(b, dataplane.DropInnerSteering) == 0
			if arrived := len(got) == 1 && bytes.Equal(got[0], tt.packet); arrived != arrives {
				t.Errorf("arrived: %v; drops %v", arrived, b.link.Counters().Drops)
			}
		})
	}
}

// checkTooBig judges an answer, with another reader of ICMP than ours.
func checkTooBig(t *testing.T, answer, cause []byte) {
	t.Helper()
	if answer[0]>>4 == 6 {
		if !bytes.Equal(answer[8:24], cause[24:40]) || !bytes.Equal(answer[24:40], cause[8:24]) || len(answer) > 1280 {
			t.Fatalf("an answer of %d octets from %x to %x", len(answer), answer[8:24], answer[24:40])
		}
		pseudo := icmp.IPv6PseudoHeader(answer[8:24], answer[24:40])
		sum := binary.BigEndian.Uint16(answer[42:])
		m := bytes.Clone(answer[40:])
		m[2], m[3] = 0, 0
		full := slices.Concat(pseudo, m)
		binary.BigEndian.PutUint32(full[32:], uint32(len(m)))
		if want := ^tundev.Sum(0, full); want != sum {
			t.Errorf("checksum %04x, want %04x", sum, want)
		}
		parsed, err := icmp.ParseMessage(58, answer[40:])
		if err != nil || parsed.Type != ipv6.ICMPTypePacketTooBig || parsed.Body.(*icmp.PacketTooBig).MTU != 1280 {
			t.Fatalf("%+v, %v", parsed, err)
		}
		if data := parsed.Body.(*icmp.PacketTooBig).Data; !bytes.HasPrefix(cause, data) || len(data) != 1232 {
			t.Errorf("%d octets of the cause", len(data))
		}
		return
	}
	if tundev.Sum(0, answer[:20]) != 0xFFFF || tundev.Sum(0, answer[20:]) != 0xFFFF {
		t.Error("wrong checksum")
	}
	if !bytes.Equal(answer[12:16], cause[16:20]) || !bytes.Equal(answer[16:20], cause[12:16]) || len(answer) > 576 {
		t.Fatalf("an answer of %d octets from %v to %v", len(answer), answer[12:16], answer[16:20])
	}
	parsed, err := icmp.ParseMessage(1, answer[20:])
	if err != nil || parsed.Type != ipv4.ICMPTypeDestinationUnreachable || parsed.Code != 4 || binary.BigEndian.Uint16(answer[26:]) != 1280 {
		t.Fatalf("%+v, %v", parsed, err)
	}
	if !bytes.HasPrefix(cause, answer[28:]) {
		t.Error("the answer has not its cause")
	}
}

// TestT59_AnswersAreFew: a flood of packets that are too big is not answered one by one.
func TestT59_AnswersAreFew(t *testing.T) {
	now := time.Unix(0, 0)
	a := newEndWith(t, udp.NewNetwork(), outerA, func(c *dataplane.Config) { c.Now = func() time.Time { return now } })
	install(t, a.link, contextOf(session, true))
	a.setPath(t, 1152, false)
	flood := func() int {
		for range 400 {
			a.tun.Deliver(packetDF(1400, 0x4000, 253))
		}
		for a.tun.Waiting() > 0 {
			a.engine.Turn(a.link.Key())
		}
		n := len(a.tun.Packets())
		for range n {
			<-a.tun.Packets()
		}
		return n
	}
	if n := flood(); n != 20 || flood() != 0 {
		t.Errorf("%d answers, then more, within a second", n)
	}
	now = now.Add(time.Second)
	if n := flood(); n != 20 {
		t.Errorf("%d answers in the next second", n)
	}
}

// FuzzT59_PacketTooBig: whatever the interface brings, nothing but a well-made answer goes back.
func FuzzT59_PacketTooBig(f *testing.F) {
	f.Add(packetIPv6(sixB, 1400, 60, 58, 0, 0, 0, 0, 0, 0, 0, 1))
	f.Add(packetDF(1400, 0x4000, 1, 8))
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 60000 {
			return
		}
		a, _, _ := newSupers(t)
		a.setPath(t, 1152, false)
		a.tun.Deliver(p)
		a.engine.Turn(a.link.Key())
		for len(a.tun.Packets()) > 0 {
			checkTooBig(t, <-a.tun.Packets(), p)
		}
	})
}
