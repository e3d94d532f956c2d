package host

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// routeProtocol marks our routes; a number that /etc/iproute2/rt_protos leaves free.
	routeProtocol = 233
	guardMetric   = math.MaxUint32
	linkPrefix    = "pc5-" // of our interfaces
	addressByHand = 1      // IN6_ADDR_GEN_MODE_NONE of linux/if_link.h
)

// system is the Network of the running kernel, on one netlink handle.
type system struct {
	handle *netlink.Handle
	mark   uint32                    // of the underlay's packets; 0: none
	others map[place][]netlink.Route // to guarded prefixes, as the last Guard found them

	mu         sync.Mutex // guards the field below
	configured []int      // indexes of interfaces, some gone maybe
}

// Open opens the kernel's network configuration in the current network namespace. With a mark, default
// routes stand in a table of its number, past which the rules lead the packets that have it.
func Open(mark uint32) (Network, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", err)
	}
	return &system{handle: h, mark: mark}, nil
}

// maxSuper is the longest super-packet that fits one send of the data plane: with IPv4 and timestamps 45
// slices of 1,344 octets.
const maxSuper = 45*1344 + 52

// explain adds the remedy to what the kernel says.
func explain(what string, err error) error {
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%s: %w: pc5d needs CAP_NET_ADMIN; run it as root or by its unit", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Configure implements Network.
func (s *system) Configure(i Interface) error {
	l, err := s.handle.LinkByName(i.Name)
	if err != nil {
		return explain("interface "+i.Name, err)
	}
	s.mu.Lock()
	s.configured = append(s.configured, l.Attrs().Index)
	s.mu.Unlock()
	// The kernel looks at every route for it, also where the MTU stays.
	if l.Attrs().MTU != i.MTU {
		if err := s.handle.LinkSetMTU(l, i.MTU); err != nil {
			return explain(fmt.Sprintf("interface %s: MTU %d", i.Name, i.MTU), err)
		}
	}
	s.trim(l)
	addresses := i.Addresses
	if i.LinkLocal.IsValid() {
		addresses = append(slices.Clip(addresses), netip.PrefixFrom(i.LinkLocal, 64))
	}
	for _, p := range addresses {
		a := &netlink.Addr{IPNet: ipNet(p), Flags: unix.IFA_F_NODAD}
		if p.Addr().Is4() {
			a.Flags = 0
		}
		if err := s.handle.AddrReplace(l, a); err != nil {
			return explain(fmt.Sprintf("interface %s: address %s", i.Name, p), err)
		}
	}
	if err := s.handle.LinkSetUp(l); err != nil {
		return explain("interface "+i.Name+": up", err)
	}
	for _, p := range i.Routes {
		if err := s.route(p.Masked(), l); err != nil {
			return explain(fmt.Sprintf("interface %s: route to %s", i.Name, p), err)
		}
	}
	return nil
}

// trim leaves out what an interface works without, so it is no failure where the kernel does not know how.
func (s *system) trim(l netlink.Link) {
	// Super-packets of 64 kB would be two sends instead of one.
	_ = s.handle.LinkSetGSOMaxSize(l, maxSuper)
	// A second link-local address, of the kernel's choice, which no peer lets in.
	_ = s.handle.LinkSetIP6AddrGenMode(l, addressByHand)
	// A queue in front of the TUN's own, which takes everything at once: three rings, 12 kB.
	_ = s.handle.QdiscReplace(&netlink.GenericQdisc{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: l.Attrs().Index, Parent: netlink.HANDLE_ROOT}, QdiscType: "noqueue"})
}

// Taken implements Network. A host route would be lost to the one of a link.
func (s *system) Taken(a netip.Addr) (string, error) {
	links, err := s.handle.LinkList()
	if err != nil {
		return "", explain("list interfaces", err)
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
	}
	addresses, err := s.handle.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return "", explain("list addresses", err)
	}
	for _, has := range addresses {
		name := names[has.LinkIndex]
		ip := net.IP(a.AsSlice())
		beside := has.Contains(ip) || has.Peer != nil && has.Peer.Contains(ip)
		if strings.HasPrefix(name, linkPrefix) || !beside {
			continue
		}
		return fmt.Sprintf("interface %s with %s", name, has.IPNet), nil
	}
	family := netlink.FAMILY_V6
	if a.Is4() {
		family = netlink.FAMILY_V4
	}
	single := &netlink.Route{Dst: ipNet(netip.PrefixFrom(a, a.BitLen()))}
	routes, err := s.handle.RouteListFiltered(family, single, netlink.RT_FILTER_DST)
	if err != nil {
		return "", explain("list routes", err)
	}
	for _, r := range routes {
		if r.Protocol != routeProtocol {
			return fmt.Sprintf("the route to it by %s", cmp.Or(names[r.LinkIndex], "no interface")), nil
		}
	}
	return "", nil
}

// destination is a route's prefix; the kernel leaves a default route's out.
func destination(family int, n *net.IPNet) netip.Prefix {
	if n == nil {
		if family == netlink.FAMILY_V4 {
			return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		}
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	a, _ := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	if family == netlink.FAMILY_V4 {
		a = a.Unmap()
	}
	return netip.PrefixFrom(a, ones)
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
