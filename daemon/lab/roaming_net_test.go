//go:build net

package lab_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"pc5d/daemon/control"
	"pc5d/daemon/lab"
	"pc5d/daemon/pc5s"
)

// roamingLimit is how soon packets pass again.
const roamingLimit = 3 * time.Second

// address adds an address to a host's underlay, or removes it.
func address(t *testing.T, h *lab.Host, prefix string, change func(netlink.Link, *netlink.Addr) error) {
	t.Helper()
	onHost(t, h, func() error {
		wire, err := netlink.LinkByName(lab.Underlay)
		if err != nil {
			return err
		}
		a, err := netlink.ParseAddr(prefix)
		if err != nil {
			return err
		}
		if a.IP.To4() == nil {
			a.Flags = unix.IFA_F_NODAD
		}
		return change(wire, a)
	})
}

// passesAgain pings from one end, until a reply comes, and then from the other.
func passesAgain(t *testing.T, from *lab.Node, after string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*roamingLimit)
	defer cancel()
	begin := time.Now()
	ping := func(n *lab.Node) func() bool {
		return func() bool { _, err := n.Host.Ping(n.Peer.Four, 50*time.Millisecond); return err == nil }
	}
	back := eventually(ctx, ping(from)) && eventually(ctx, ping(from.Peer))
	if took := time.Since(begin); !back || took > roamingLimit {
		t.Fatalf("%s: back %v after %v, want %v\n%s", after, back, took, roamingLimit, from.Peer.Log())
	} else {
		t.Logf("%s: back after %v", after, took.Round(time.Millisecond))
	}
}

// seenAt looks where the peers of so many links are, one establishment each. A packet may pass before the
// status says so.
func seenAt(t *testing.T, ctx context.Context, n *lab.Node, count int, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, roamingLimit)
	defer cancel()
	var links []control.LinkStatus
	there := eventually(ctx, func() bool {
		s, err := n.Client.Status(ctx)
		if err == nil {
			links = s.Links
		}
		return err == nil && len(links) == count && !slices.ContainsFunc(links, func(l control.LinkStatus) bool { return l.Endpoint != want })
	})
	if !there {
		t.Errorf("of %d links not %d are at %s", len(links), count, want)
	}
	for _, l := range links {
		if establishments(l.Messages) != 1 {
			t.Errorf("link %s: at %s, %d establishments", l.Name, l.Endpoint, establishments(l.Messages))
		}
	}
}

// second is another link between the same two, over the same sockets.
const second = `
[[link]]
name = "second"
peer = %q
service = "second"
pin = %q
endpoint = %q
addresses = ["10.6.0.%d/32"]
allowed = ["10.6.0.%d/32"]
`

// TestT58_AddressChanges: the underlay's address of one end changes, IPv4 and IPv6. Both links between the
// two, over one socket, go on within 3 s, without another establishment.
func TestT58_AddressChanges(t *testing.T) {
	t.Parallel()
	pc5d := build(t)
	alice := func(p *lab.Pair) *lab.Node { return p.Alice }
	bob := func(p *lab.Pair) *lab.Node { return p.Bob } // alice has nothing to send
	for _, c := range []struct {
		name, alice, bob, next string
		from                   func(*lab.Pair) *lab.Node
	}{
		{"IPv4", "192.0.2.1/24", "192.0.2.2/24", "192.0.2.33/24", alice},
		{"IPv6", "2001:db8::1/64", "2001:db8::2/64", "2001:db8::33/64", alice},
		{"IPv4, towards it", "192.0.2.1/24", "192.0.2.2/24", "192.0.2.33/24", bob},
		{"IPv6, towards it", "2001:db8::1/64", "2001:db8::2/64", "2001:db8::33/64", bob},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			there := netip.MustParsePrefix(c.bob).Addr().String()
			p := pair(t, ctx, pc5d, func(p *lab.Pair) {
				if strings.HasPrefix(c.name, "IPv6") {
					address(t, p.A, c.alice, netlink.AddrAdd)
					address(t, p.B, c.bob, netlink.AddrAdd)
				}
				p.Alice.Calls, p.Bob.Calls = there, "nowhere"
				p.Alice.Tail = fmt.Sprintf(second, "bob", p.Alice.Pin, there, 1, 2)
				p.Bob.Tail = fmt.Sprintf(second, "alice", p.Bob.Pin, netip.MustParsePrefix(c.alice).Addr(), 2, 1)
				provisioned(t, p)
			})
			up(t, ctx, p.Alice)
			if s, err := p.Alice.Client.Up(ctx, "second", 10*time.Second); err != nil || s.State != "established" {
				t.Fatalf("the second link: %v, %v", s.State, err)
			}
			passesAgain(t, p.Alice, "nothing")
			address(t, p.A, c.alice, netlink.AddrDel)
			address(t, p.A, c.next, netlink.AddrAdd)
			passesAgain(t, c.from(p), c.next)
			inside := netip.MustParseAddr("10.6.0.2")
			if !eventually(ctx, func() bool { _, err := p.A.Ping(inside, 50*time.Millisecond); return err == nil }) {
				t.Error("the second link does not follow")
			}
			seenAt(t, ctx, p.Bob, 2, netip.AddrPortFrom(netip.MustParsePrefix(c.next).Addr(), port).String())
		})
	}
}

// nat forwards between a daemon on the same host and its peer, from an address and a port of its own, until
// it forgets them.
type nat struct {
	host   *lab.Host
	inner  *net.UDPConn
	daemon atomic.Pointer[netip.AddrPort] // that called last
	ended  sync.WaitGroup

	mu    sync.Mutex // guards the fields below
	outer *net.UDPConn
	to    netip.AddrPort
}

func newNAT(t *testing.T, h *lab.Host, at string) *nat {
	t.Helper()
	n := &nat{host: h}
	onHost(t, h, func() (err error) {
		n.inner, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
		return err
	})
	n.ended.Go(n.outward)
	t.Cleanup(func() {
		n.mu.Lock()
		outer := n.outer
		n.mu.Unlock()
		if err := errors.Join(n.inner.Close(), outer.Close()); err != nil {
			t.Error(err)
		}
		n.ended.Wait()
	})
	return n
}

// rebind forgets the outer address and takes another one.
func (n *nat) rebind(t *testing.T, at, to string) {
	t.Helper()
	var outer *net.UDPConn
	onHost(t, n.host, func() (err error) {
		outer, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
		return err
	})
	n.mu.Lock()
	former := n.outer
	n.outer, n.to = outer, netip.MustParseAddrPort(to)
	n.mu.Unlock()
	if former != nil {
		former.Close()
	}
	n.ended.Go(func() { n.inward(outer) })
}

func (n *nat) outward() {
	for b := make([]byte, 1<<16); ; {
		k, from, err := n.inner.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		n.daemon.Store(&from)
		n.mu.Lock()
		outer, to := n.outer, n.to
		n.mu.Unlock()
		outer.WriteToUDPAddrPort(b[:k], to) // what it does not take is lost
	}
}

func (n *nat) inward(outer *net.UDPConn) {
	for b := make([]byte, 1<<16); ; {
		k, _, err := outer.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if daemon := n.daemon.Load(); err == nil && daemon != nil {
			n.inner.WriteToUDPAddrPort(b[:k], *daemon)
		}
	}
}

// TestT58_PortChanges: a NAT before one end forgets it and gives it another port, another address, another
// family. Packets pass again within 3 s each time, without another establishment.
func TestT58_PortChanges(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var n *nat
	p := pair(t, ctx, build(t), func(p *lab.Pair) {
		address(t, p.A, "192.0.2.77/24", netlink.AddrAdd)
		address(t, p.A, "2001:db8::1/64", netlink.AddrAdd)
		address(t, p.B, "2001:db8::2/64", netlink.AddrAdd)
		n = newNAT(t, p.A, "127.0.0.1:40000")
		n.rebind(t, "192.0.2.1:50000", "192.0.2.2:33536")
		p.Alice.Calls, p.Bob.Calls = "127.0.0.1:40000", "nowhere"
		provisioned(t, p)
	})
	up(t, ctx, p.Alice)
	passesAgain(t, p.Alice, "nothing")
	for _, next := range []struct{ from, to string }{
		{"192.0.2.1:50001", "192.0.2.2:33536"},
		{"192.0.2.77:50001", "192.0.2.2:33536"},
		{"[2001:db8::1]:50002", "[2001:db8::2]:33536"},
		{"192.0.2.1:50003", "192.0.2.2:33536"},
	} {
		n.rebind(t, next.from, next.to)
		passesAgain(t, p.Alice, next.from)
		seenAt(t, ctx, p.Bob, 1, next.from)
	}
}

// establishments counts those in a timeline.
func establishments(messages []control.Message) (n int) {
	for _, m := range messages {
		if m.Name == pc5s.MessageDirectLinkEstablishmentAccept.String() {
			n++
		}
	}
	return n
}
