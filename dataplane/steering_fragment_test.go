package dataplane_test

import (
	"net/netip"
	"testing"

	"pc5d/dataplane"
)

// TestT57_LaterFragmentsSteerNothing: what stands first in a later fragment of an ICMP packet is no type.
func TestT57_LaterFragmentsSteerNothing(t *testing.T) {
	c := dataplane.Context{Sources: []netip.Prefix{netip.PrefixFrom(addrA, 32)}}
	p := packet(addrA, addrB, 100, 5)
	p[9] = 1
	if reason, ok := dataplane.Judge(c, p); ok || reason != dataplane.DropInnerSteering {
		t.Errorf("a redirect: %v, %s", ok, reason)
	}
	p[6], p[7] = 0x20, 0 // the first fragment
	if reason, ok := dataplane.Judge(c, p); ok || reason != dataplane.DropInnerSteering {
		t.Errorf("the first fragment of a redirect: %v, %s", ok, reason)
	}
	p[6], p[7] = 0, 172
	if reason, ok := dataplane.Judge(c, p); !ok {
		t.Errorf("the last fragment of a ping was dropped: %s", reason)
	}
}
