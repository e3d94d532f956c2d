package host_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"pc5d/daemon/host"
)

// TestMovedAfterManyAddresses: more addresses come at once than the socket holds, as with a thousand links. One that
// comes later is told all the same.
func TestMovedAfterManyAddresses(t *testing.T) {
	link, other := inNamespace(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/all/disable_ipv6", []byte("1"), 0o644); err != nil {
		t.Skipf("needs /proc/sys to keep IPv6 quiet: %v", err)
	}
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
	var batch strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&batch, "address add 10.6.%d.%d/32 dev %s\n", i/250, i%250+1, link.Attrs().Name)
	}
	ip := exec.CommandContext(ctx, "ip", "-batch", "-")
	ip.Stdin = strings.NewReader(batch.String())
	if out, err := ip.CombinedOutput(); err != nil {
		t.Skipf("needs ip: %v: %.200s", err, out)
	}
	for told(2 * time.Second) {
	}
	a, err := netlink.ParseAddr("192.0.2.1/24")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.AddrAdd(other, a); err != nil {
		t.Fatal(err)
	}
	if !told(5 * time.Second) {
		t.Error("a new address was not told")
	}
}
