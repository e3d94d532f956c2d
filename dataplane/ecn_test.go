package dataplane_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"pc5d/dataplane"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/tundev"
)

// decapsulated is figure 4 of RFC 6040, 4.2, by inner and outer ECN field; -1: dropped.
var decapsulated = [4][4]int{
	0b00: {0b00: 0b00, 0b01: 0b00, 0b10: 0b00, 0b11: -1},
	0b10: {0b00: 0b10, 0b01: 0b01, 0b10: 0b10, 0b11: 0b11},
	0b01: {0b00: 0b01, 0b01: 0b01, 0b10: 0b01, 0b11: 0b11},
	0b11: {0b00: 0b11, 0b01: 0b11, 0b10: 0b11, 0b11: 0b11},
}

// withClass gives a packet a traffic class.
func withClass(p []byte, class byte) []byte {
	p = bytes.Clone(p)
	if p[0]>>4 == 6 {
		p[0], p[1] = 0x60|class>>4, class<<4|p[1]&0x0F
		return p
	}
	p[1] = class
	binary.BigEndian.PutUint16(p[10:], 0)
	binary.BigEndian.PutUint16(p[10:], ^tundev.Sum(0, p[:20]))
	return p
}

// TestT60_Decapsulation: each packet comes out with the ECN field that RFC 6040 says, with its DSCP and with
// a right checksum, or not at all: packets, trains of datagrams and super-packets, in records and as PDUs.
func TestT60_Decapsulation(t *testing.T) {
	_, datagram := datagram(false, 7, 9, 0x40, []byte("datagram"))
	six := make([]byte, 60)
	six[0], six[5], six[6] = 0x60, 20, 59
	copy(six[8:], sixA.AsSlice())
	copy(six[24:], sixB.AsSlice())
	s := newSuper(false, 12, 5000, 1348, 0x10, false)
	packets := map[string][]byte{"IPv4": packet(addrA, addrB, 100, 0), "IPv6": six, "datagram": datagram, "super-packet": s.packet}
	headers := map[string]tundev.Header{
		"datagram":     {Flags: tundev.NeedsChecksum, ChecksumStart: 20, Checksum: 6},
		"super-packet": s.header,
	}
	for name, p := range packets {
		for inner := range byte(4) {
			for outer := range byte(4) {
				for _, standard := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%02b/%02b/standard=%v", name, inner, outer, standard), func(t *testing.T) {
						a, b, network := newSupers(t)
						if standard {
							install(t, a.link, standardOf(session+1, true, 2, suite.AEAD))
							install(t, b.link, standardOf(session+1, false, 2, suite.AEAD))
						}
						var sent byte
						network.Mark(func(class uint8) uint8 {
							sent = class
							return 0xB8 | outer
						})
						a.tun.DeliverAs(headers[name], withClass(p, 0x48|inner))
						a.engine.Turn(a.link.Key())
						if err := b.engine.Poll(); err != nil {
							t.Fatal(err)
						}
						if sent != inner {
							t.Errorf("outer traffic class %#02x of a packet with %02b", sent, inner)
						}
						want := decapsulated[inner][outer]
						if want < 0 {
							drops := b.link.Counters().Drops
							if n := drops.Of(dataplane.DropCongested); n == 0 || len(b.tun.Packets()) > 0 {
								t.Errorf("%d dropped, %d arrived", n, len(b.tun.Packets()))
							}
							return
						}
						if len(b.tun.Packets()) == 0 {
							t.Fatalf("dropped: %v", b.link.Counters().Drops)
						}
						for len(b.tun.Packets()) > 0 {
							got := <-b.tun.Packets()
							class := got[1]
							if got[0]>>4 == 6 {
								class = got[0]<<4 | got[1]>>4
							} else if tundev.Sum(0, got[:20]) != 0xFFFF && p[10]|p[11] != 0 {
								t.Errorf("checksum of %x", got[:20])
							}
							if class != 0x48|byte(want) {
								t.Errorf("traffic class %#02x, want ECN %02b", class, want)
							}
						}
					})
				}
			}
		}
	}
}

// TestT60_OneClassASend: packets of different ECN fields never share a send, nor a record; the DSCP goes
// along where the operator wants it, and only there.
func TestT60_OneClassASend(t *testing.T) {
	for _, dscp := range []bool{false, true} {
		t.Run(fmt.Sprintf("DSCP %v", dscp), func(t *testing.T) {
			a, b, network := newPair(t)
			if dscp {
				c := contextOf(session+1, true)
				c.CopyDSCP = true
				install(t, a.link, c)
				install(t, b.link, contextOf(session+1, false))
			}
			classes := map[uint8]bool{}
			network.Mark(func(class uint8) uint8 { classes[class] = true; return class })
			for i := range 12 {
				a.tun.Deliver(withClass(packet(addrA, addrB, 100, 0), 0xB8|byte(i)%3))
			}
			a.engine.Turn(a.link.Key())
			if err := b.engine.Poll(); err != nil {
				t.Fatal(err)
			}
			if len(b.tun.Packets()) != 12 {
				t.Fatalf("%d of 12 packets", len(b.tun.Packets()))
			}
			for i := range 12 {
				if got := <-b.tun.Packets(); got[1] != 0xB8|byte(i)%3 {
					t.Errorf("packet %d has class %#02x", i, got[1])
				}
			}
			for i := range uint8(3) {
				want := i
				if dscp {
					want |= 0xB8
				}
				if !classes[want] || len(classes) != 3 {
					t.Errorf("classes %v", classes)
				}
			}
		})
	}
}
