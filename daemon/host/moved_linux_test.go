package host_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"pc5d/daemon/host"
)

// TestMoved: a new address of the host is told, once for several; one inside a link is not, nor is one
// that goes.
func TestMoved(t *testing.T) {
	link, other := inNamespace(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	moved, err := host.Moved(ctx)
	if err != nil {
		t.Fatal(err)
	}
	told := func(wait time.Duration) bool {
		select {
		case <-moved:
			return true
		case <-time.After(wait):
			return false
		}
	}
	change := func(l netlink.Link, address string, change func(netlink.Link, *netlink.Addr) error) {
		t.Helper()
		a, err := netlink.ParseAddr(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(l, a); err != nil {
			t.Fatal(err)
		}
	}
	// No link-local addresses, which come when they like. A file of the thread's own namespace.
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/all/disable_ipv6", []byte("1"), 0o644); err != nil {
		t.Skipf("needs /proc/sys to keep IPv6 quiet: %v", err)
	}
	for told(500 * time.Millisecond) {
	}
	change(other, "192.0.2.1/24", netlink.AddrAdd)
	change(other, "198.51.100.1/24", netlink.AddrAdd)
	if !told(5*time.Second) || told(500*time.Millisecond) {
		t.Error("two new addresses were not told once")
	}
	change(link, "10.5.0.1/32", netlink.AddrAdd)
	change(other, "192.0.2.1/24", netlink.AddrDel)
	if told(500 * time.Millisecond) {
		t.Error("an address of a link, or one that went, was told")
	}
}
