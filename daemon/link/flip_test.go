package link_test

import (
	"runtime"
	"sync"
	"testing"

	"pc5d/daemon/link"
)

// TestR01_R15_R16_R20_T01_EveryBit flips every bit of every datagram of an establishment, one
// per run, on its way. No run may end in a link whose ends disagree: either there is none, or
// both have the same keys, identities, roles, algorithms, policies and request.
func TestR01_R15_R16_R20_T01_EveryBit(t *testing.T) {
	if testing.Short() {
		t.Skip("all bits take a minute without the race detector; the full run has them")
	}
	reference := newPair(t)
	reference.establish(t)
	type flip struct{ datagram, bit int }
	var flips []flip
	for i, d := range reference.sent {
		for bit := range 8 * len(d) {
			flips = append(flips, flip{i, bit})
		}
	}
	t.Logf("%d datagrams, %d bits", len(reference.sent), len(flips))
	work := make(chan flip)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for f := range work {
				p := newPair(t)
				p.alter = func(index int, datagram []byte) {
					if index == f.datagram && f.bit/8 < len(datagram) {
						datagram[f.bit/8] ^= 0x80 >> (f.bit % 8)
					}
				}
				p.run()
				p.agree(t, "datagram %d bit %d", f.datagram, f.bit)
				p.close()
			}
		})
	}
	for _, f := range flips {
		work <- f
	}
	close(work)
	wg.Wait()
}

// TestR02_Roles lets each end be the initiator.
func TestR02_Roles(t *testing.T) {
	for _, swap := range []bool{false, true} {
		p := newPair(t)
		if swap {
			p.a, p.b = p.b, p.a
		}
		p.establish(t)
		if p.a.machine.Role() != link.RoleA || p.b.machine.Role() != link.RoleB {
			t.Fatalf("roles %v and %v", p.a.machine.Role(), p.b.machine.Role())
		}
		p.close()
	}
}
