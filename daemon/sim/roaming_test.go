package sim_test

import (
	"net/netip"
	"testing"
	"time"

	"pc5d/daemon/sim"
	"pc5d/dataplane/underlay"
)

// copier is an attacker with an address of his own, from which he sends on what hosts say, faster than the
// path does.
type copier struct {
	*pair
	host *sim.Host
	sent map[netip.AddrPort]int // octets to each host in his name
	got  map[netip.AddrPort]int // and from it
}

// newCopier lets the attacker copy everything once there is a link. What comes to him he drops, or relays.
func newCopier(t *testing.T, seed uint64, relays bool) *copier {
	t.Helper()
	c := &copier{pair: newPairOfForms(t, seed), sent: map[netip.AddrPort]int{}, got: map[netip.AddrPort]int{}}
	c.host = c.AddStranger("mallory", func(d sim.Datagram) { c.receives(d, relays) })
	c.establish()
	c.Network.Filter = func(d sim.Datagram) []sim.Datagram {
		if d.To == c.host.Address {
			return []sim.Datagram{d}
		}
		copied := d
		copied.From = c.host.Address
		c.sent[d.To] += len(d.Octets)
		return []sim.Datagram{copied, d}
	}
	return c
}

// newPairOfForms is a pair whose user data has the standard form at every other seed.
func newPairOfForms(t *testing.T, seed uint64) *pair {
	t.Helper()
	p := newPair(t, seed)
	if seed%2 == 1 {
		p.link.A.Words, p.link.B.Words = "user_plane.form = \"pdcp\"\n", "user_plane.form = \"pdcp\"\n"
	}
	return p
}

// receives demands that nobody sends the attacker user data, or more than he may make him send.
func (c *copier) receives(d sim.Datagram, relays bool) {
	c.got[d.From] += len(d.Octets)
	if h, _, err := underlay.Parse(d.Octets); err != nil || h.LCID == underlay.DRB || h.LCID == underlay.DRBSparse {
		c.t.Errorf("at %v mallory gets user data of %s: %x", c.Now(), d.From, d.Octets)
	}
	if got, sent := c.got[d.From], c.sent[d.From]; got > 3*sent {
		c.t.Errorf("at %v mallory got %d octets of %s for %d", c.Now(), got, d.From, sent)
	}
	if !relays {
		return
	}
	to := c.alice.Address
	if d.From == to {
		to = c.bob.Address
	}
	c.sent[to] += len(d.Octets)
	c.Network.Inject(sim.Datagram{From: c.host.Address, To: to, Octets: d.Octets})
}

// TestT58_FasterCopies: an attacker is faster than the path and sends everything from an address of his
// own, one way or as a relay for both. He is asked, and gets nothing else, as long as the path is there.
func TestT58_FasterCopies(t *testing.T) {
	for name, relays := range map[string]bool{"one way": false, "relay": true} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				c := newCopier(t, 50+seed, relays)
				before := c.link.A.Agreement()
				if lost := c.traffic(10 * time.Second); lost > 0 {
					t.Errorf("%d packets lost", lost)
				}
				if len(c.got) == 0 {
					t.Error("nobody asked the attacker: nothing was tried")
				}
				if c.link.A.Agreement() != before {
					t.Error("the link is another one")
				}
				c.Network.Filter = nil
				c.carries()
				c.live()
			}
		})
	}
}

// TestT58_NotByOldOrClear: what is old, in clear or not authentic leads nobody to another address: not
// even a question goes there.
func TestT58_NotByOldOrClear(t *testing.T) {
	p := newPair(t, 60)
	mallory := p.AddStranger("mallory", func(d sim.Datagram) {
		if h, _, err := underlay.Parse(d.Octets); err != nil || h.Form != underlay.FormHint && h.LCID != underlay.SRB0 {
			t.Errorf("at %v mallory gets %x", p.Now(), d.Octets)
		}
	})
	p.establish()
	p.carries()
	p.link.A.UpdateIdentifiers()
	p.Run(time.Second)
	p.carries()
	for _, d := range p.Attacker().Heard() {
		for _, forged := range append(p.Attacker().Forgeries(d), d) {
			forged.From = mallory.Address
			p.Network.Inject(forged)
			p.Run(20 * time.Millisecond)
		}
	}
	p.sound()
	p.carries()
	p.live()
}

// behindNAT gives what a host sends another address, until it forgets it and takes the next one: then what
// is sent to the former one is lost.
type behindNAT struct {
	inside  netip.AddrPort
	outside netip.AddrPort
}

func (n *behindNAT) filter(d sim.Datagram) []sim.Datagram {
	switch {
	case d.From == n.inside:
		d.From = n.outside
	case d.To == n.outside:
		d.To = n.inside
	case d.To == n.inside: // nobody knows it any more
		return nil
	}
	return []sim.Datagram{d}
}

// TestT58_Roams: one end's address and port change under traffic, by a NAT or a new network, from IPv4 to
// IPv4 or IPv6 and back. Packets pass again in both directions within 3 s, in the same link; a second link
// over the same socket follows too.
func TestT58_Roams(t *testing.T) {
	for seed := range uint64(6) {
		p := newPairOfForms(t, 70+seed/2)
		carol := p.AddHost("carol")
		other := p.Connect(p.alice, carol, "ip")
		startAll(t, carol)
		p.establish()
		other.A.Up()
		p.within(10*time.Second, "the other link", other.Agreed)
		moving, stays := p.link.A, p.link.B
		if seed%2 == 1 {
			moving, stays = p.link.B, p.link.A
		}
		if seed%3 == 1 {
			p.Network.Loss = 0.05
		}
		before := p.link.A.Agreement()
		nat := &behindNAT{inside: moving.Host.Address, outside: moving.Host.Address}
		p.Network.Filter = nat.filter
		for _, to := range []string{"198.51.100.9:4000", "198.51.100.9:4001", "[2001:db8::9]:4001", "203.0.113.7:33536"} {
			nat.outside = netip.MustParseAddrPort(to)
			p.follows(stays, to)
			if p.link.A.Agreement() != before {
				t.Fatalf("seed %d: the link is another one after %s", seed, to)
			}
			p.Run(2 * time.Second)
		}
		p.Network.Loss = 0
		p.carries()
		if moving.Host == p.alice {
			other.A.Send(sim.IPv4, 200)
			p.Run(3 * time.Second)
			if !other.Agreed() {
				t.Errorf("seed %d: the other link is gone", seed)
			}
		}
		p.live()
	}
}

// follows sends both ways until a packet has come to whoever has moved, at most for 3 s.
func (p *pair) follows(stays *sim.End, to string) {
	p.t.Helper()
	for begin := p.Now(); p.Now()-begin < 2900*time.Millisecond; {
		p.link.A.Send(sim.IPv4, 200)
		p.link.B.Send(sim.IPv6, 200)
		p.Run(20 * time.Millisecond)
		if stays.Host.Status(stays).Endpoint == to {
			if p.Network.Loss == 0 {
				p.carries()
			}
			return
		}
	}
	p.t.Errorf("after 3 s the peer of %s is not at %s but at %s", stays.Host.Name, to, stays.Host.Status(stays).Endpoint)
}
