package link_test

import (
	"testing"
	"time"

	"pc5d/daemon/link"
)

// every is the step through a matrix: all of it, or a part in a short run.
func every(full int) int {
	if testing.Short() {
		return full
	}
	return 1
}

// lost makes the datagrams from now on disappear whose bit is set.
func (n *network) lost(pattern int) {
	base := len(n.sent)
	n.lose = func(index int) bool { return index >= base && pattern>>(index-base)&1 == 1 }
}

// TestT15_T90_LossMatrix loses every subset of the first 12 datagrams of an establishment. Within
// 20 s, one attempt or two, both ends are established, agree, and stay so.
func TestT15_T90_LossMatrix(t *testing.T) {
	const datagrams, limit = 12, 20 * time.Second
	step := every(61)
	shards(t, (1<<datagrams)/step, func(t *testing.T, i int) {
		n := newNetwork(t)
		defer n.close()
		n.lost(i * step)
		n.connect()
		if !n.last(t, limit, func() bool { return n.both(link.Established) }) {
			t.Errorf("pattern %012b: %s", i*step, n.describe())
			return
		}
		n.rest(t, 5*time.Second)
		if !n.quiet() {
			t.Errorf("pattern %012b, 5 s later: %s", i*step, n.describe())
		}
		n.agree(t, "pattern %012b", i*step)
	})
}

// TestT15_T54_RekeyingLossMatrix loses every subset of the first 8 datagrams of a re-keying: both
// ends have new keys within 15 s, and user data could pass all the time.
func TestT15_T54_RekeyingLossMatrix(t *testing.T) {
	const datagrams, limit = 8, 15 * time.Second
	step := every(7)
	shards(t, (1<<datagrams)/step, func(t *testing.T, i int) {
		n := newNetwork(t)
		defer n.close()
		rested(t, n.pair)
		n.lost(i * step)
		n.command(t, n.a, n.a.machine.Rekey)
		n.last(t, limit, func() bool { return n.a.rekeyed == 1 && n.b.rekeyed == 1 })
		n.rest(t, 15*time.Second)
		if n.a.rekeyed != 1 || n.b.rekeyed != 1 || !n.quiet() || !n.sameNames() {
			t.Errorf("pattern %08b: re-keyed %d and %d; %s", i*step, n.a.rekeyed, n.b.rekeyed, n.describe())
		}
		n.agree(t, "pattern %08b", i*step)
	})
}

// TestT15_UpdateLossMatrix loses every subset of the first 8 datagrams of the joint run of
// re-keying and identifier update, or of its second half: both ends have new names within 30 s.
func TestT15_UpdateLossMatrix(t *testing.T) {
	const datagrams, limit = 8, 30 * time.Second
	step := every(7)
	shards(t, 2*(1<<datagrams)/step, func(t *testing.T, i int) {
		pattern, second := i*step>>1, i*step&1 == 1
		n := newNetwork(t)
		defer n.close()
		rested(t, n.pair)
		name := n.a.plane.name
		if !second {
			n.lost(pattern)
		}
		n.command(t, n.a, n.a.machine.UpdateIdentifiers)
		if second {
			n.last(t, limit, func() bool { return n.a.rekeyed == 1 })
			n.lost(pattern)
		}
		moved := func() bool {
			return n.a.plane.name.Local != name.Local && n.b.plane.name.Local != name.Peer && n.quiet()
		}
		if !n.last(t, limit, moved) || !n.sameNames() {
			t.Errorf("pattern %08b, second half %v: %v and %v; %s", pattern, second, n.a.plane.name, n.b.plane.name, n.describe())
		}
		n.rest(t, 11*time.Second)
		if !n.quiet() || len(n.a.plane.receives) != 1 || len(n.b.plane.receives) != 1 {
			t.Errorf("pattern %08b, second half %v, after the grace time: %v and %v; %s", pattern, second, n.a.plane.receives, n.b.plane.receives, n.describe())
		}
	})
}
