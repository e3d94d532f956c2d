package dataplane_test

import (
	"encoding/binary"
	"testing"

	"pc5d/dataplane"
	"pc5d/dataplane/suite"
)

// TestT59_StandardTakesIPv6: whoever sends over IPv6 may send 1280 octets and is never told of less. A path of
// 1280 octets of content takes them: 1280 + 13 + 4 + 48 octets are 1345, and a record has 1360.
func TestT59_StandardTakesIPv6(t *testing.T) {
	a, b := newStandardPair(t, 2, suite.AEAD)
	a.setPath(t, 1280, false)
	six := make([]byte, 1280)
	six[0], six[6] = 0x60, 59
	binary.BigEndian.PutUint16(six[4:], 1240)
	copy(six[8:], sixA.AsSlice())
	copy(six[24:], sixB.AsSlice())
	if got := carry(t, a, b, [][]byte{six}); len(got) != 1 {
		t.Errorf("%d packets arrived, %d told, %d dropped as too big: a black hole", len(got), len(a.tun.Packets()), dropsOf(a, dataplane.DropTooBig))
	}
}
