//go:build net

package lab_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/lab"
	"pc5d/dataplane/udp"
)

// fallbacks are the words of pc5d --without, and how the status shows that they are obeyed.
var fallbacks = []struct {
	word string
	used func(control.Status) bool
}{
	{"udp-segment", func(s control.Status) bool { return s.Node.Offloads.Segment }},
	{"udp-gro", func(s control.Status) bool { return s.Node.Offloads.Coalesce }},
	{"io-uring", func(s control.Status) bool { return s.Node.Offloads.Ring }},
	{"tun-vnet", func(s control.Status) bool { o := s.Links[0].Offloads; return o != control.LinkOffloads{} }},
	{"tun-tso", func(s control.Status) bool { return s.Links[0].Offloads.TCP || s.Links[0].Offloads.UDP }},
	{"tun-uso", func(s control.Status) bool { return s.Links[0].Offloads.UDP }},
	{"tun-write", func(s control.Status) bool { return s.Links[0].Offloads.TakesTCP || s.Links[0].Offloads.TakesUDP }},
}

// mayLack are what came with Linux 6.2 and 6.4 only; an administrator may forbid io_uring.
var mayLack = map[string]bool{"tun-uso": true, "io-uring": true}

// fullMost is how often TCP may hear in some MB that it sends too fast for this machine: one packet for each time
// that the queue turns over. No datagram may be lost.
const fullMost = 10

// TestFallbacks: a link whose ends, or one of them, go without an offload carries everything, and the
// status of each end shows what is in use there.
func TestFallbacks(t *testing.T) {
	t.Parallel()
	pc5d := build(t)
	all := ""
	for _, f := range fallbacks {
		all += "," + f.word
		for _, both := range []bool{false, true} {
			name := f.word + " at one end"
			if both {
				name = f.word + " at both"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				falls(t, pc5d, f.word, both, func(n *lab.Node, s control.Status) {
					want := n.Flags == nil
					if f.used(s) != want && !(want && mayLack[f.word]) {
						t.Errorf("%s: in use is %v, want %v", n.Host.Name, !want, want)
					}
				})
			})
		}
	}
	t.Run("all at both", func(t *testing.T) {
		t.Parallel()
		falls(t, pc5d, all[1:], true, func(n *lab.Node, s control.Status) {
			if s.Node.Offloads != (control.NodeOffloads{}) || s.Links[0].Offloads != (control.LinkOffloads{}) {
				t.Errorf("%s uses %+v, %+v", n.Host.Name, s.Node.Offloads, s.Links[0].Offloads)
			}
		})
	})
}

// falls makes a link without offloads, uses it, and hands the status of each end to look.
func falls(t *testing.T, pc5d, words string, both bool, look func(*lab.Node, control.Status)) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	p := pair(t, ctx, pc5d, func(p *lab.Pair) {
		p.Alice.Flags = []string{"--without", words}
		if both {
			p.Bob.Flags = p.Alice.Flags
		}
	})
	up(t, ctx, p.Alice)
	await(t, ctx, p.Bob, "established")
	for _, n := range []*lab.Node{p.Alice, p.Bob} {
		carries(t, n)
	}
	for _, n := range []*lab.Node{p.Alice, p.Bob} {
		s, err := n.Client.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		look(n, s)
		for reason, count := range s.Links[0].Drops {
			if reason == "link_down" || reason == "inner_destination" { // the host's own words to all routers
				continue
			}
			if reason == "queue_full" && count <= fullMost {
				continue
			}
			t.Errorf("%s dropped %d packets: %s", n.Host.Name, count, reason)
		}
	}
}

// carries sends by ICMP, TCP with a checksum over all of it, and UDP, from one end.
func carries(t *testing.T, n *lab.Node) {
	t.Helper()
	if _, err := n.Host.Ping(n.Peer.Four, 2*time.Second); err != nil {
		t.Error(err)
	}
	if _, err := n.Host.Ping(n.Peer.Six, 2*time.Second); err != nil {
		t.Error(err)
	}
	if _, err := n.Host.Transfer(n.Peer.Host, n.Peer.Four, 4<<20, []byte("by IPv4 "), 10*time.Second); err != nil {
		t.Error(err)
	}
	if _, err := n.Host.Transfer(n.Peer.Host, n.Peer.Six, 4<<20, []byte("over IPv6"), 10*time.Second); err != nil {
		t.Error(err)
	}
	bursts(t, n)
	f, err := n.Host.StartFlow(n.Peer.Host, n.Peer.Four, 1000)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond) // what the flow sends
	if c, err := f.Stop(); err != nil || c.Sent < 50 || c.Lost > 0 || c.Doubled > 0 {
		t.Errorf("of %d datagrams %d were lost, %d doubled, %v", c.Sent, c.Lost, c.Doubled, err)
	}
}

// bursts sends datagrams many at a time, as applications with UDP_SEGMENT do, and demands each of them.
func bursts(t *testing.T, n *lab.Node) {
	t.Helper()
	listen := func(h *lab.Host, a netip.Addr) *udp.Socket {
		var s *udp.Socket
		onHost(t, h, func() (err error) {
			s, err = udp.Listen(netip.AddrPortFrom(a, 0), udp.Options{Log: slog.New(slog.DiscardHandler)})
			return err
		})
		return s
	}
	from, to := listen(n.Host, n.Six), listen(n.Peer.Host, n.Peer.Six)
	defer from.Close()
	stop := time.AfterFunc(5*time.Second, func() { to.Close() })
	defer func() {
		if stop.Stop() {
			to.Close()
		}
	}()
	sent := make([]byte, 40*1000)
	for i := range sent {
		sent[i] = byte(i / 1000)
	}
	if err := from.Send(netip.AddrPortFrom(n.Peer.Six, to.LocalAddr().Port()), sent, 1000, 0); err != nil {
		t.Fatal(err)
	}
	messages, seen := udp.NewMessages(8), map[byte]int{}
	for len(seen) < 40 {
		k, err := to.Receive(messages, true)
		if err != nil {
			t.Fatalf("%d of 40 datagrams of a burst arrived: %v", len(seen), err)
		}
		for i := range messages[:k] {
			for d := messages[i].Datagrams(); d.Next(); {
				if b := d.Datagram(); len(b) != 1000 || bytes.Count(b, b[:1]) != 1000 {
					t.Errorf("a datagram of %d octets arrived altered", len(b))
				} else {
					seen[b[0]]++
				}
			}
		}
	}
}
