package link_test

import (
	"net/netip"
	"testing"
	"time"

	"pc5d/daemon/link"
)

var elsewhere = netip.MustParseAddrPort("[2001:db8::7]:4000")

// roaming is an established pair in whose network an address that is nobody's takes everything.
type roaming struct {
	*pair
	lost map[netip.AddrPort]int // octets
}

func newRoaming(t *testing.T) *roaming {
	t.Helper()
	r := &roaming{pair: newPair(t), lost: map[netip.AddrPort]int{}}
	r.run()
	r.pass(time.Second)
	if r.a.machine.State() != link.Established || r.b.machine.State() != link.Established {
		t.Fatal("no link")
	}
	return r
}

func (r *roaming) deliver() {
	for len(r.queue) > 0 {
		if d := r.queue[0]; d.to != r.a.address && d.to != r.b.address {
			r.lost[d.to] += len(d.datagram)
			r.queue = r.queue[1:]
			continue
		}
		r.arrive()
	}
}

// pass lets time go by.
func (r *roaming) pass(d time.Duration) {
	end := r.now.Add(d)
	for r.deliver(); ; r.deliver() {
		if next := r.next(); next.IsZero() || next.After(end) {
			r.now = end
			return
		}
		r.tick()
	}
}

// heardAt tells b that a record of a came from an address.
func (r *roaming) heardAt(from netip.AddrPort, octets int) {
	r.b.plane.watchingPath = false
	r.b.machine.Elsewhere(r.now, r.b.plane.name, from, octets)
	r.drain(r.b)
}

// TestT58_ThreeTimes: a candidate gets at most three times what came from it, and nothing but questions,
// however often it is heard. The user plane is asked to look again, and the link goes on.
func TestT58_ThreeTimes(t *testing.T) {
	for _, octets := range []int{1, 20, 40, 100, 10_000} {
		r := newRoaming(t)
		came := 0
		for range 20 {
			if r.b.plane.watchingPath {
				came += octets
				r.heardAt(elsewhere, octets)
			}
			r.pass(100 * time.Millisecond)
			if got := r.lost[elsewhere]; got > 3*came {
				t.Fatalf("%d octets there for %d", got, came)
			}
		}
		if octets == 10_000 && r.lost[elsewhere] == 0 || octets == 1 && r.lost[elsewhere] > 0 {
			t.Errorf("%d octets there for %d at a time", r.lost[elsewhere], octets)
		}
		r.pass(5 * time.Second)
		if !r.b.plane.watchingPath {
			t.Error("the user plane is not asked to look again")
		}
		if r.b.plane.endpoint.IsValid() {
			t.Errorf("the user plane sends to %v", r.b.plane.endpoint)
		}
	}
}

// TestT58_Follows: a peer that has moved is followed when it answers there and not at its former address:
// whether its records show it, or only what an idle end says of it.
func TestT58_Follows(t *testing.T) {
	for _, idle := range []bool{false, true} {
		r := newRoaming(t)
		r.a.address = elsewhere
		begin := r.now
		if idle {
			r.a.machine.Moved(r.now)
			r.drain(r.a)
		} else {
			r.heardAt(elsewhere, 300)
		}
		r.pass(500 * time.Millisecond)
		if r.b.plane.endpoint.IsValid() {
			t.Errorf("idle %v: it goes after %v, before the former address could answer", idle, r.now.Sub(begin))
		}
		r.pass(500 * time.Millisecond)
		if r.b.plane.endpoint != elsewhere {
			t.Errorf("idle %v: the user plane sends to %v", idle, r.b.plane.endpoint)
		}
		r.pass(10 * time.Minute)
		if r.a.machine.State() != link.Established || r.b.machine.State() != link.Established {
			t.Errorf("idle %v: the link ended: %v, %v", idle, r.a.machine.Failed(), r.b.machine.Failed())
		}
	}
}

// TestT58_WayBack: the address that was followed answers no more, and nobody is heard elsewhere: the one
// before is tried before the link is given up.
func TestT58_WayBack(t *testing.T) {
	r := newRoaming(t)
	home := r.a.address
	r.a.address = elsewhere
	r.heardAt(elsewhere, 300)
	r.pass(599 * time.Millisecond) // both addresses have been asked, and one has answered
	r.a.address = home
	r.pass(time.Millisecond)
	if r.b.plane.endpoint != elsewhere {
		t.Fatalf("the user plane sends to %v", r.b.plane.endpoint)
	}
	r.pass(20 * time.Second)
	if r.b.plane.endpoint != home || r.b.machine.State() != link.Established {
		t.Errorf("the user plane sends to %v; %v", r.b.plane.endpoint, r.b.machine.Failed())
	}
}

// TestT58_OneTrialAtATime: another address is heard while one is on trial. It has to wait, but not for one
// that does not answer.
func TestT58_OneTrialAtATime(t *testing.T) {
	r := newRoaming(t)
	silent := netip.MustParseAddrPort("203.0.113.1:1")
	r.a.address = elsewhere
	r.heardAt(silent, 300)
	r.heardAt(elsewhere, 300)
	if r.deliver(); r.lost[elsewhere] > 0 || r.lost[silent] == 0 {
		t.Fatalf("lost %v", r.lost)
	}
	r.pass(600 * time.Millisecond)
	r.heardAt(elsewhere, 300)
	r.pass(time.Second)
	if r.b.plane.endpoint != elsewhere {
		t.Errorf("the user plane sends to %v", r.b.plane.endpoint)
	}
}
