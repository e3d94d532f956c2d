//go:build net

package lab_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"pc5d/daemon/control"
	"pc5d/daemon/lab"
)

const fwmark = 0x5043

var (
	// far is where bob is on the underlay: behind a gateway, so that the default route leads there.
	far = netip.MustParseAddr("198.51.100.2")
	// behind is somewhere in the wide world, behind bob.
	behind = netip.MustParseAddr("203.0.113.9")
)

// onHost runs network configuration on a host.
func onHost(t *testing.T, h *lab.Host, f func() error) {
	t.Helper()
	if err := h.Do(f); err != nil {
		t.Fatalf("%s: %v", h.Name, err)
	}
}

// route is a route of alice's host through bob's, as a gateway.
func route(t *testing.T, p *lab.Pair, to string, metric int, change func(*netlink.Route) error) {
	t.Helper()
	onHost(t, p.A, func() error {
		wire, err := netlink.LinkByName(lab.Underlay)
		if err != nil {
			return err
		}
		_, prefix, err := net.ParseCIDR(to)
		if err != nil {
			return err
		}
		return change(&netlink.Route{LinkIndex: wire.Attrs().Index, Dst: prefix, Gw: p.B.Address.AsSlice(), Priority: metric})
	})
}

// wideWorld gives bob's host its far address, from which it answers; alice's link is her default route.
func wideWorld(t *testing.T, p *lab.Pair) {
	t.Helper()
	onHost(t, p.B, func() error {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(lo, &netlink.Addr{IPNet: &net.IPNet{IP: far.AsSlice(), Mask: net.CIDRMask(32, 32)}}); err != nil {
			return err
		}
		wire, err := netlink.LinkByName(lab.Underlay)
		if err != nil {
			return err
		}
		to := &net.IPNet{IP: p.A.Address.AsSlice(), Mask: net.CIDRMask(32, 32)}
		return netlink.RouteAdd(&netlink.Route{LinkIndex: wire.Attrs().Index, Dst: to, Src: far.AsSlice(), Scope: netlink.SCOPE_LINK})
	})
	p.Alice.Behind = []string{"0.0.0.0/0", "::/0"}
	p.Bob.More = []string{behind.String() + "/32"}
}

// TestT62_DefaultRoute: the link is alice's default route, and the underlay's way to bob is another default
// route: policy routing by the mark keeps them apart. Everything goes through the link, nothing goes round,
// and when the daemon is killed the guard in the mark's table lets nothing out in clear.
func TestT62_DefaultRoute(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	pc5d := build(t)
	p := pair(t, ctx, pc5d, func(p *lab.Pair) {
		wideWorld(t, p)
		route(t, p, "0.0.0.0/0", 0, netlink.RouteAdd)
		p.Alice.Own, p.Alice.Calls = "fwmark = 0x5043", far.String()
		provisioned(t, p)
	})
	up(t, ctx, p.Alice)
	capture, err := p.A.Capture(behind.AsSlice())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.A.Ping(behind, 2*time.Second); err != nil {
		t.Error(err)
	}
	if _, err := p.A.Transfer(p.B, behind, 4<<20, []byte("wide world"), 10*time.Second); err != nil {
		t.Error(err)
	}
	s := linkOf(t, ctx, p.Alice)
	if s.Drops["own_flow"] != 0 || s.TxPackets > 4<<20/1300*2 || s.Endpoint != netip.AddrPortFrom(far, port).String() {
		t.Errorf("%d packets sent to %s, drops %v", s.TxPackets, s.Endpoint, s.Drops)
	}
	ctxPing, stop := context.WithCancel(ctx)
	pinged := make(chan int)
	go func() {
		n := 0
		for ; ctxPing.Err() == nil; n++ {
			p.A.Ping(behind, 10*time.Millisecond)
		}
		pinged <- n
	}()
	time.Sleep(100 * time.Millisecond) // some pings before,
	p.Alice.Kill()
	time.Sleep(300 * time.Millisecond) // and some without the daemon
	stop()
	sent := <-pinged
	frames, found, lost, err := capture.Stop()
	if err != nil || found != 0 || lost != 0 || frames == 0 || sent < 10 {
		t.Errorf("killed: %d of %d frames show an inner address (%d not caught, %d pings, %v)", found, frames, lost, sent, err)
	}
	onHost(t, p.A, func() error {
		guards, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: fwmark, Type: unix.RTN_UNREACHABLE}, netlink.RT_FILTER_TABLE|netlink.RT_FILTER_TYPE)
		if len(guards) != 1 {
			t.Errorf("%d guards in the mark's table", len(guards))
		}
		return err
	})
	if err := p.Alice.Start(ctx, pc5d); err != nil {
		t.Fatal(err)
	}
	if !eventually(ctx, func() bool { _, err := p.A.Ping(behind, 200*time.Millisecond); return err == nil }) {
		t.Errorf("the link is not back: %s", p.Alice.Log())
	}
}

// TestT62_OwnFlow: alice's host loses the route to bob, so that the link's own datagrams go into the link.
// They are dropped there and counted, no more of them than packets were sent, and all is well when the route is back.
func TestT62_OwnFlow(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	p := pair(t, ctx, build(t), func(p *lab.Pair) {
		wideWorld(t, p)
		route(t, p, far.String()+"/32", 0, netlink.RouteAdd)
		p.Alice.Calls = "nowhere"
		provisioned(t, p)
	})
	up(t, ctx, p.Bob)
	await(t, ctx, p.Alice, "established")
	if _, err := p.A.Ping(behind, 2*time.Second); err != nil {
		t.Fatal(err)
	}
	route(t, p, far.String()+"/32", 0, netlink.RouteDel)
	before := linkOf(t, ctx, p.Alice)
	for range 20 {
		p.A.Ping(behind, 10*time.Millisecond)
	}
	after := linkOf(t, ctx, p.Alice)
	dropped, sent := after.Drops["own_flow"]-before.Drops["own_flow"], after.TxPackets-before.TxPackets
	if dropped < 20 || dropped > 100 || sent < 20 || sent > 60 {
		t.Errorf("%d packets sent, %d dropped as own, of 20 pings", sent, dropped)
	}
	route(t, p, far.String()+"/32", 0, netlink.RouteAdd)
	if !eventually(ctx, func() bool { _, err := p.A.Ping(behind, 200*time.Millisecond); return err == nil }) {
		t.Errorf("the link is not back: %s", p.Alice.Log())
	}
}

// provisioned writes both ends' files anew.
func provisioned(t *testing.T, p *lab.Pair) {
	t.Helper()
	for _, n := range []*lab.Node{p.Alice, p.Bob} {
		if err := n.Provision(); err != nil {
			t.Fatal(err)
		}
	}
}

// linkOf is the state of a node's only link.
func linkOf(t *testing.T, ctx context.Context, n *lab.Node) control.LinkStatus {
	t.Helper()
	s, err := n.Client.Status(ctx)
	if err != nil || len(s.Links) != 1 {
		t.Fatalf("status of %s: %+v, %v", n.Host.Name, s.Links, err)
	}
	return s.Links[0]
}
