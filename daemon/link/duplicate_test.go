package link_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"pc5d/daemon/link"
)

// story establishes, modifies, re-keys, gives new names and asks for a sign of life.
func (n *network) story(t testing.TB) {
	t.Helper()
	n.connect()
	if !n.last(t, 20*time.Second, n.quiet) {
		t.Fatalf("no link: %s", n.describe())
	}
	n.rest(t, 6*time.Second)
	n.command(t, n.a, func(now time.Time) error { return n.a.machine.Modify(now, flows()) })
	n.command(t, n.a, n.a.machine.UpdateIdentifiers)
	n.rest(t, 6*time.Second)
	n.a.machine.AskAlive(n.now)
	n.drain(n.a)
	n.rest(t, 6*time.Second)
}

// told demands that the story came to its end, once.
func (n *network) told(t testing.TB, format string, args ...any) {
	t.Helper()
	if !n.quiet() || !n.sameNames() || n.a.rekeyed != 1 || n.b.rekeyed != 1 || len(n.a.concluded) != 3 || n.a.plane.name.Local == n.a.config.Local {
		t.Errorf(format+": re-keyed %d and %d, %v; %s", append(args, n.a.rekeyed, n.b.rekeyed, n.a.concluded, n.describe())...)
	}
	n.agree(t, format, args...)
}

// TestT15_Duplicates lets each datagram of all procedures come twice: at once, and half a second
// later. The second one changes nothing.
func TestT15_Duplicates(t *testing.T) {
	reference := newNetwork(t)
	reference.story(t)
	reference.told(t, "plain")
	reference.close()
	total := len(reference.sent)
	t.Logf("%d datagrams", total)
	shards(t, 2*total, func(t *testing.T, i int) {
		n := newNetwork(t)
		defer n.close()
		late := time.Duration(i%2) * 500 * time.Millisecond
		count := -1
		n.copies = func() int {
			if count++; count == i/2 {
				return 2
			}
			return 1
		}
		second := false
		n.delay = func() time.Duration { // called once for each copy
			if count == i/2 && second {
				return late
			}
			second = count == i/2
			return 0
		}
		n.story(t)
		n.told(t, "datagram %d again after %v", i/2, late)
	})
}

// TestT15_LateAnswers: answers of an earlier attempt, to the same and to a new layer-2 ID, come
// before each genuine one of the next attempt. They belong to another request.
func TestT15_LateAnswers(t *testing.T) {
	for _, sameID := range []bool{true, false} {
		n := newNetwork(t)
		n.connect()
		n.last(t, time.Second, n.quiet)
		var earlier [][]byte
		for _, d := range n.sent {
			if source := n.b.config.Local; d[6] == byte(source) || d[6] == 0xFF { // from B, or stateless
				earlier = append(earlier, bytes.Clone(d))
			}
		}
		n.rest(t, time.Second)
		local := n.a.config.Local
		n.attempt()
		if sameID {
			n.a.config.Local = local
			n.a.machine.Abandon(link.ErrCancelled)
			n.queue = nil
			n.start()
		}
		n.before = func(d transit) {
			if d.to != n.a.address {
				return
			}
			state := n.a.machine.State()
			for _, old := range earlier {
				d := bytes.Clone(old)
				own := n.a.config.Local
				d[1], d[2], d[3] = byte(own>>16), byte(own>>8), byte(own)
				if err := n.a.machine.Receive(n.now, n.b.address, d); err == nil || n.a.machine.State() != state {
					t.Errorf("an old answer in %v: %v, now %v", state, err, n.a.machine.State())
				}
			}
		}
		if !n.last(t, 2*time.Second, n.quiet) || len(earlier) < 4 || !slices.ContainsFunc(n.sent, func(d []byte) bool { return d[7] == 2 }) {
			t.Errorf("same ID %v, %d old answers: %s", sameID, len(earlier), n.describe())
		}
		n.agree(t, "late answers")
		n.close()
	}
}
