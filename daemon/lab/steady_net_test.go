//go:build net

package lab_test

import (
	"context"
	"testing"
	"time"

	"pc5d/daemon/lab"
)

// TestT95_NothingGrows: thirty seconds of traffic with new keys, identifiers and ports every five
// seconds. What both daemons hold stays the same; the first rounds fill what then goes in circles.
func TestT95_NothingGrows(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Second)
	defer cancel()
	p := pair(t, ctx, build(t), func(p *lab.Pair) {
		for _, n := range []*lab.Node{p.Alice, p.Bob} {
			n.Tail = private + ports
			if err := n.Provision(); err != nil {
				t.Fatal(err)
			}
		}
	})
	up(t, ctx, p.Alice)
	f, err := startBoth(p, 1000)
	if err != nil {
		t.Fatal(err)
	}
	nodes := []*lab.Node{p.Alice, p.Bob}
	rounds := func(count int) {
		for i := range count {
			n := nodes[i%2]
			if _, err := n.Client.Update(ctx, n.Peer.Host.Name, 20*time.Second); err != nil {
				t.Fatalf("%v: %s", err, n.Log())
			}
		}
	}
	rounds(4)
	before := usages(t, nodes)
	begin := time.Now()
	rounds(6)
	after := usages(t, nodes)
	c, err := f.stop()
	if err != nil {
		t.Fatal(err)
	}
	full := overflows(t, p)
	t.Logf("6 updates in %v, %d packets sent, %d lost; full buffers dropped %d", time.Since(begin).Round(time.Millisecond), c.Sent, c.Lost, full)
	if c.Lost > full {
		t.Error("packets are lost to updates")
	}
	for i, n := range nodes {
		b, a := before[i], after[i]
		t.Logf("%s: %v, then %v", n.Host.Name, b, a)
		if a.Descriptors > b.Descriptors || a.Threads > b.Threads+2 || a.Resident > b.Resident+8<<20 {
			t.Errorf("%s grows", n.Host.Name)
		}
	}
}

// usages are what the daemons hold: the least of a few looks, for the control socket is in use too.
func usages(t *testing.T, nodes []*lab.Node) []lab.Usage {
	t.Helper()
	least := make([]lab.Usage, len(nodes))
	for look := range 10 {
		time.Sleep(50 * time.Millisecond)
		for i, n := range nodes {
			u, err := n.Usage()
			if err != nil {
				t.Fatal(err)
			}
			if look == 0 {
				least[i] = u
			}
			least[i].Descriptors = min(least[i].Descriptors, u.Descriptors)
			least[i].Threads = min(least[i].Threads, u.Threads)
			least[i].Resident = min(least[i].Resident, u.Resident)
		}
	}
	return least
}
