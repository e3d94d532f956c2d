package dataplane_test

import (
	"fmt"
	"testing"

	"pc5d/dataplane"
)

// TestT60_PartsAreMarked: what the network says to one part of a packet it says to the packet (RFC 3168, 5.3;
// RFC 6040, 4.2).
func TestT60_PartsAreMarked(t *testing.T) {
	for inner := range byte(4) {
		for marked := range 2 {
			t.Run(fmt.Sprintf("%02b/part %d", inner, marked), func(t *testing.T) {
				a, b, network := newPair(t)
				a.setPath(t, 1152, true)
				longest(network, 10000) // each part travels alone
				part := 0
				network.Mark(func(class uint8) uint8 {
					defer func() { part++ }()
					if part == marked {
						return 0b11
					}
					return class
				})
				got := carry(t, a, b, [][]byte{withClass(packet(addrA, addrB, 1300, 0), inner)})
				if part != 2 {
					t.Fatalf("%d datagrams", part)
				}
				if inner == 0b00 {
					if n := dropsOf(b, dataplane.DropCongested); n != 1 || len(got) > 0 {
						t.Errorf("%d dropped, %d arrived: the sender of the packet hears nothing", n, len(got))
					}
					return
				}
				if len(got) != 1 || got[0][1]&3 != 0b11 {
					t.Errorf("%d packets, the first with ECN %02b: the mark of the network is lost", len(got), got[0][1]&3)
				}
			})
		}
	}
}
