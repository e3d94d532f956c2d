package host_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"pc5d/daemon/host"
)

const mark = 0x5043

// inNamespace moves the test into a network namespace of its own, with two interfaces. The thread ends
// with the goroutine.
func inNamespace(t *testing.T) (link, other netlink.Link) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a network namespace needs root")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs network namespaces: %v", err)
	}
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "pc5-bob"}, PeerName: "eth0"}); err != nil {
		t.Fatal(err)
	}
	link, err := netlink.LinkByName("pc5-bob")
	if err != nil {
		t.Fatal(err)
	}
	other, err = netlink.LinkByName("eth0")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(netlink.LinkSetUp(link), netlink.LinkSetUp(other)); err != nil {
		t.Fatal(err)
	}
	return link, other
}

func open(t *testing.T, mark uint32) host.Network {
	t.Helper()
	n, err := host.Open(mark)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

// TestForeignRoutes: a route of somebody else to just a link's prefix stays, and the link is refused with
// a word on it, where it would be replaced or have the packets. One that is worse stays behind the link's.
func TestForeignRoutes(t *testing.T) {
	for _, c := range []struct {
		name, prefix string
		metric       int
		address      string // of eth0, instead of a route
		refused      bool
	}{
		{"IPv4", "10.7.0.0/24", 0, "", true},
		{"IPv4, worse", "10.7.0.0/24", 100, "", false},
		{"IPv4 of an address", "10.7.0.0/24", 0, "10.7.0.9/24", true},
		{"IPv6", "fd07::/64", 0, "", true},
		{"IPv6, worse", "fd07::/64", 2000, "", false},
		{"IPv6 of an address", "fd07::/64", 0, "fd07::9/64", true},
		{"default", "0.0.0.0/0", 0, "", true},
		{"default, worse", "::/0", 2000, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			link, other := inNamespace(t)
			prefix := netip.MustParsePrefix(c.prefix)
			if c.address != "" {
				a, _ := netlink.ParseAddr(c.address)
				a.Flags = unix.IFA_F_NODAD
				if err := netlink.AddrAdd(other, a); err != nil {
					t.Fatal(err)
				}
			} else if err := netlink.RouteAdd(&netlink.Route{LinkIndex: other.Attrs().Index, Dst: ipNet(t, c.prefix), Priority: c.metric, Protocol: unix.RTPROT_STATIC, Scope: netlink.SCOPE_LINK}); err != nil {
				t.Fatal(err)
			}
			n := open(t, 0)
			if err := n.Guard([]netip.Prefix{prefix}); err != nil {
				t.Fatal(err)
			}
			wanted := host.Interface{Name: "pc5-bob", MTU: 1400, Routes: []netip.Prefix{prefix}}
			err := n.Configure(wanted)
			if c.refused != (err != nil) || c.refused && (!strings.Contains(err.Error(), "eth0") || !strings.Contains(err.Error(), c.prefix)) {
				t.Errorf("refused: %v, want %v", err, c.refused)
			}
			if !c.refused {
				if err := n.Configure(wanted); err != nil { // it may be repeated
					t.Error(err)
				}
			}
			if routes(t, prefix, other, unix.RT_TABLE_MAIN) != 1 {
				t.Error("the other's route is gone")
			}
			if got := routes(t, prefix, link, unix.RT_TABLE_MAIN); (got == 1) == c.refused {
				t.Errorf("the link has %d routes", got)
			}
		})
	}
}

// TestForeignGuard: somebody else's route in the place of a guard stays, too.
func TestForeignGuard(t *testing.T) {
	_, other := inNamespace(t)
	err := netlink.RouteAdd(&netlink.Route{LinkIndex: other.Attrs().Index, Dst: ipNet(t, "10.7.0.0/24"), Priority: 1<<32 - 1, Scope: netlink.SCOPE_LINK})
	if err != nil {
		t.Fatal(err)
	}
	prefix := netip.MustParsePrefix("10.7.0.0/24")
	if err := open(t, 0).Guard([]netip.Prefix{prefix}); err == nil || !strings.Contains(err.Error(), "10.7.0.0/24") {
		t.Errorf("got %v", err)
	}
	if routes(t, prefix, other, unix.RT_TABLE_MAIN) != 1 {
		t.Error("the route is gone")
	}
}

// TestT62_DefaultRoutes: with a mark, default routes and their guards stand in the mark's table, and the
// rules lead there all packets but the marked ones. They outlive the Network, follow the provisioning and
// another mark, and Clean takes them away without knowing it.
func TestT62_DefaultRoutes(t *testing.T) {
	link, other := inNamespace(t)
	four, six, more := netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"), netip.MustParsePrefix("10.7.0.0/24")
	all := []netip.Prefix{four, six, more}
	n := open(t, mark)
	if err := errors.Join(n.Guard(all), n.Configure(host.Interface{Name: "pc5-bob", MTU: 1400, Routes: all})); err != nil {
		t.Fatal(err)
	}
	foreign := netlink.NewRule()
	foreign.Priority, foreign.Table, foreign.Mark = 100, 77, 7
	if err := netlink.RuleAdd(foreign); err != nil {
		t.Fatal(err)
	}
	gateway := &netlink.Route{LinkIndex: other.Attrs().Index, Dst: ipNet(t, "0.0.0.0/0"), Scope: netlink.SCOPE_LINK}
	if err := netlink.RouteAdd(gateway); err != nil { // the host's own stands beside
		t.Fatal(err)
	}
	for at, want := range map[netip.Prefix][2]int{four: {0, 2}, six: {0, 2}, more: {2, 0}} {
		if got := [2]int{ours(t, at, unix.RT_TABLE_MAIN), ours(t, at, mark)}; got != want {
			t.Errorf("%s: %v of our routes in the main table and in the mark's, want %v", at, got, want)
		}
	}
	leads := func(marked int, to string) int {
		r, err := netlink.RouteGetWithOptions(netip.MustParseAddr(to).AsSlice(), &netlink.RouteGetOptions{Mark: uint32(marked)})
		if err != nil || len(r) == 0 {
			return -1
		}
		return r[0].LinkIndex
	}
	if leads(0, "192.0.2.1") != link.Attrs().Index || leads(mark, "192.0.2.1") != other.Attrs().Index {
		t.Errorf("without the mark to interface %d, with it to %d", leads(0, "192.0.2.1"), leads(mark, "192.0.2.1"))
	}
	if err := netlink.LinkDel(link); err != nil { // as when the process is killed
		t.Fatal(err)
	}
	if got := leads(0, "192.0.2.1"); got != -1 {
		t.Errorf("without the link to interface %d", got)
	}
	again := open(t, mark+1)
	if err := again.Guard([]netip.Prefix{four, more}); err != nil {
		t.Fatal(err)
	}
	if got := rules(t); !slices.Equal(got, []int{unix.RT_TABLE_MAIN, mark + 1}) || ours(t, four, mark) != 0 || ours(t, four, mark+1) != 1 || ours(t, six, mark) != 0 {
		t.Errorf("with another mark: rules to tables %v", got)
	}
	if err := open(t, 0).Clean(); err != nil {
		t.Fatal(err)
	}
	left, err := netlink.RuleListFiltered(netlink.FAMILY_V4, foreign, netlink.RT_FILTER_TABLE)
	if got := rules(t); len(got) != 0 || ours(t, four, mark+1) != 0 || ours(t, more, unix.RT_TABLE_MAIN) != 0 || err != nil || len(left) != 1 {
		t.Errorf("after Clean: rules to tables %v, %d foreign ones, %v", got, len(left), err)
	}
}

func ipNet(t *testing.T, prefix string) *net.IPNet {
	t.Helper()
	_, n, err := net.ParseCIDR(prefix)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// list lists the routes to exactly a prefix in a table.
func list(t *testing.T, p netip.Prefix, table int) []netlink.Route {
	t.Helper()
	family := netlink.FAMILY_V6
	if p.Addr().Is4() {
		family = netlink.FAMILY_V4
	}
	found, err := netlink.RouteListFiltered(family, &netlink.Route{Dst: ipNet(t, p.String()), Table: table}, netlink.RT_FILTER_DST|netlink.RT_FILTER_TABLE)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// routes counts those by an interface.
func routes(t *testing.T, p netip.Prefix, by netlink.Link, table int) (n int) {
	for _, r := range list(t, p, table) {
		if r.LinkIndex == by.Attrs().Index {
			n++
		}
	}
	return n
}

// ours counts those of pc5d, guards included.
func ours(t *testing.T, p netip.Prefix, table int) (n int) {
	for _, r := range list(t, p, table) {
		if r.Protocol == 233 {
			n++
		}
	}
	return n
}

// rules are the tables that the rules of pc5d lead to, in their order.
func rules(t *testing.T) (tables []int) {
	t.Helper()
	all, err := netlink.RuleList(netlink.FAMILY_ALL)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.Protocol == 233 {
			tables = append(tables, r.Table)
		}
	}
	return tables
}
