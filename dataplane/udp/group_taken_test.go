package udp

import (
	"log/slog"
	"net/netip"
	"testing"
)

// TestGroupOfATakenPort: where somebody listens already, be it a group too, there is no second one: it would take a part
// of his datagrams, and its program would choose among his sockets.
func TestGroupOfATakenPort(t *testing.T) {
	o := Options{Log: slog.New(slog.DiscardHandler)}
	first, err := ListenGroup(netip.MustParseAddrPort("127.0.0.1:0"), 2, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = closeAll(first, nil) }()
	for _, n := range []int{1, 2, 3} {
		second, err := ListenGroup(first[0].LocalAddr(), n, o)
		if err == nil {
			t.Errorf("a second group of %d listens on %s, too", n, first[0].LocalAddr())
			_ = closeAll(second, nil)
		}
	}
}
