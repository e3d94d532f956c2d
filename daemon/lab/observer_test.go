package lab_test

import (
	"net/netip"
	"slices"
	"testing"

	"pc5d/daemon/lab"
)

// TestObserverJoins: the observer of the tests sees each field that would join two datagrams, and
// none where only what stays is the same.
func TestObserverJoins(t *testing.T) {
	alice, bob := netip.MustParseAddrPort("192.0.2.1:33536"), netip.MustParseAddrPort("192.0.2.2:33536")
	elsewhere, moved := netip.AddrPortFrom(alice.Addr(), 40000), netip.AddrPortFrom(bob.Addr(), 50000)
	record := func(from, to netip.AddrPort, ids string, session byte, count ...byte) lab.Datagram {
		b := append([]byte{0x11}, ids...)
		return lab.Datagram{From: from, To: to, Payload: append(append(b, 4, 0x53, session), count...)}
	}
	pdu := func(sn byte, ids string, session byte) lab.Datagram {
		return lab.Datagram{From: alice, To: bob, Payload: append(append([]byte{0x10}, ids...), 2, 0, sn, 0x53, session, 1, 2, 3, 4)}
	}
	for name, c := range map[string]struct {
		before, after lab.Datagram
		want          []string
	}{
		"the next record":   {record(alice, bob, "ABCabc", 1, 0, 0, 0, 0, 1, 0), record(alice, bob, "ABCabc", 1, 0, 0, 0, 0, 1, 1), []string{"layer-2 ID", "K_NRP-sess ID", "source port", "destination port", "COUNT"}},
		"the other way":     {record(alice, bob, "ABCabc", 1, 0, 0, 0, 0, 1, 0), record(bob, alice, "abcABC", 1, 0, 0, 0, 0, 1, 1), []string{"layer-2 ID", "K_NRP-sess ID"}},
		"COUNT alone":       {record(alice, bob, "ABCabc", 1, 0, 0, 0, 0, 1, 0), record(elsewhere, moved, "DEFdef", 2, 0, 0, 0, 1, 1, 1), []string{"COUNT"}},
		"COUNT far away":    {record(alice, bob, "ABCabc", 1, 0, 0, 0, 0, 1, 0), record(elsewhere, moved, "DEFdef", 2, 0, 0, 1, 0, 1, 1), nil},
		"new keys":          {record(alice, bob, "ABCabc", 1, 0, 0, 0, 0, 0, 0), record(elsewhere, moved, "DEFdef", 2, 0, 0, 0, 0, 0, 1), nil},
		"source port":       {record(alice, bob, "ABCabc", 1, 0, 0, 0, 0, 1, 0), record(alice, moved, "DEFdef", 2, 0, 1, 0, 0, 0, 1), []string{"source port"}},
		"destination port":  {record(alice, bob, "ABCabc", 1, 0, 0, 0, 0, 1, 0), record(elsewhere, bob, "DEFdef", 2, 0, 1, 0, 0, 0, 1), []string{"destination port"}},
		"one layer-2 ID":    {record(alice, bob, "ABCabc", 1, 0, 0, 0, 0, 1, 0), record(elsewhere, moved, "DEFabc", 2, 0, 1, 0, 0, 0, 1), []string{"layer-2 ID"}},
		"signalling number": {pdu(20, "ABCabc", 1), pdu(21, "DEFdef", 2), []string{"source port", "destination port", "PDCP SN"}},
	} {
		before, ok := lab.Read(c.before)
		after, ok2 := lab.Read(c.after)
		if got := before.Joins(after); !ok || !ok2 || !slices.Equal(got, c.want) {
			t.Errorf("%s: joined by %q, want %q", name, got, c.want)
		}
	}
}
