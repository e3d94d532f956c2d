//go:build net

package lab_test

import (
	"bytes"
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pc5d/daemon/lab"
	"pc5d/dataplane/underlay"
)

const (
	private = "[link.signalling]\nciphering = \"required\"\n[link.privacy]\nidentity = true\n"
	ports   = "update = \"24h\"\nport = true\n"
)

// names are long enough that no ciphertext shows one by chance.
const initiatorName, responderName = "alice-smith", "robin-jones"

// TestR21_P8_ObserverLosesTrack: who sees all datagrams, but has no key, can not join those before
// an update of identifiers to those after it by anything that stands in clear, except what
// docs/provisioning.md names; and no name of an end appears. Where an end keeps its port, that
// port joins, and without private identity the names are there to be read: so the observer sees.
func TestR21_P8_ObserverLosesTrack(t *testing.T) {
	t.Parallel()
	pc5d := build(t)
	for _, c := range []struct {
		name       string
		alice, bob string // provisioned tails
		hidden     bool   // the names
		moved      []bool // alice's, bob's source port
	}{
		{"both", private + ports, private + ports, true, []bool{true, true}},
		{"alice", private + ports, private, true, []bool{true, false}},
		{"neither", "", "", false, []bool{false, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			p, capture := observed(t, ctx, pc5d, c.alice, c.bob)
			nobodyNamed(t, capture.Datagrams(), c.hidden)
			moved := map[netip.Addr]bool{p.Alice.Host.Address: c.moved[0], p.Bob.Host.Address: c.moved[1]}
			byChance := 0
			for _, n := range []*lab.Node{p.Alice, p.Bob} {
				byChance += unlinked(t, ctx, p, n, capture, moved)
			}
			if byChance > 1 {
				t.Errorf("COUNT joins %d times in 4; by chance it does once in 4096", byChance)
			}
			if _, _, lost, err := capture.Stop(); err != nil || lost > 0 {
				t.Errorf("capture: %d frames lost, %v", lost, err)
			}
		})
	}
}

// observed is an established link that was watched from its first datagram on.
func observed(t *testing.T, ctx context.Context, pc5d, alice, bob string) (*lab.Pair, *lab.Capture) {
	t.Helper()
	p, err := lab.NewPairOf(t.TempDir(), initiatorName, responderName)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	capture, err := p.Alice.Host.Record()
	if err != nil {
		t.Fatal(err)
	}
	p.Alice.Tail, p.Bob.Tail = alice, bob
	for _, n := range []*lab.Node{p.Bob, p.Alice} {
		if err := n.Provision(); err != nil {
			t.Fatal(err)
		}
		if err := n.Start(ctx, pc5d); err != nil {
			t.Fatal(err)
		}
	}
	up(t, ctx, p.Alice)
	await(t, ctx, p.Bob, "established")
	return p, capture
}

// nobodyNamed looks for the names of both ends.
func nobodyNamed(t *testing.T, datagrams []lab.Datagram, hidden bool) {
	t.Helper()
	for _, name := range []string{initiatorName, responderName} {
		shown := slices.ContainsFunc(datagrams, func(d lab.Datagram) bool { return bytes.Contains(d.Payload, []byte(name)) })
		if shown == hidden {
			t.Errorf("of %d datagrams of the establishment one shows %q: %v", len(datagrams), name, shown)
		}
	}
}

// unlinked lets a node make one update between two stretches of traffic and lets the observer compare. It
// returns how many directions COUNT joined.
func unlinked(t *testing.T, ctx context.Context, p *lab.Pair, n *lab.Node, capture *lab.Capture, moved map[netip.Addr]bool) (byChance int) {
	t.Helper()
	from := len(capture.Datagrams())
	stretch(t, p)
	before := readAll(t, capture, from)
	if _, err := n.Client.Update(ctx, n.Peer.Host.Name, 20*time.Second); err != nil {
		t.Fatalf("%v: %s", err, n.Log())
	}
	stretch(t, p)
	all := readAll(t, capture, from)
	old := map[[2]underlay.LayerTwoID]bool{}
	for _, c := range before {
		old[[2]underlay.LayerTwoID{c.Header.Source, c.Header.Destination}] = true
	}
	var earlier, later []lab.Clear
	for _, c := range all {
		if old[[2]underlay.LayerTwoID{c.Header.Source, c.Header.Destination}] {
			earlier = append(earlier, c)
		} else {
			later = append(later, c)
		}
	}
	if len(before) < 20 || len(later) < 20 {
		t.Fatalf("%d datagrams before, %d after: too few to tell", len(before), len(later))
	}
	for _, part := range [][]lab.Clear{before, later} {
		following(t, part)
	}
	stale(t, earlier, later, moved)
	joins := map[netip.Addr]map[string]int{}
	for _, b := range earlier {
		for _, a := range later {
			for _, field := range b.Joins(a) {
				if joins[a.From.Addr()] == nil {
					joins[a.From.Addr()] = map[string]int{}
				}
				joins[a.From.Addr()][field]++
			}
		}
	}
	t.Logf("%d datagrams under the old identifiers, %d under the new: joined by %v", len(earlier), len(later), joins)
	for address, port := range moved {
		if stays := joins[address]["source port"] > 0; stays == port {
			t.Errorf("source port of %s joins: %v", address, stays)
		}
		delete(joins[address], "source port")
		delete(joins[address], "destination port") // see stale
		if joins[address]["COUNT"] > 0 {
			byChance++
			delete(joins[address], "COUNT")
		}
		if len(joins[address]) > 0 {
			t.Errorf("datagrams of %s are joined by %v", address, joins[address])
		}
	}
	return byChance
}

// stale demands that the last datagrams to an end that moved go to its new port. The first ones of
// the other end do not: it knows the new port only when the answer has come from there, and so
// they join its new identifiers to the old port of the peer.
func stale(t *testing.T, earlier, later []lab.Clear, moved map[netip.Addr]bool) {
	t.Helper()
	old := map[netip.AddrPort]bool{}
	for _, c := range earlier {
		old[c.From] = true
	}
	first := 0
	for i, c := range later {
		if !moved[c.To.Addr()] || !old[c.To] {
			continue
		}
		if first++; i >= len(later)/2 {
			t.Errorf("datagram %d of %d after the update still goes to the former port", i, len(later))
		}
	}
	t.Logf("%d of %d datagrams after the update go to a former port", first, len(later))
}

// following demands that the observer can hold one link's datagrams together while its
// identifiers stay.
func following(t *testing.T, datagrams []lab.Clear) {
	t.Helper()
	last := map[netip.Addr]lab.Clear{}
	counted := 0
	for _, c := range datagrams {
		before, ok := last[c.From.Addr()]
		last[c.From.Addr()] = c
		if !ok {
			continue
		}
		by := before.Joins(c)
		if !slices.Contains(by, "layer-2 ID") {
			t.Fatalf("the observer does not join %+v and %+v", before, c)
		}
		if slices.Contains(by, "COUNT") {
			counted++
		}
	}
	if counted == 0 {
		t.Error("the observer joins no two datagrams by COUNT")
	}
}

// stretch is traffic for the observer: one packet after the other.
func stretch(t *testing.T, p *lab.Pair) {
	t.Helper()
	for range 40 {
		if _, err := p.Alice.Host.Ping(p.Bob.Four, 2*time.Second); err != nil {
			t.Fatalf("%v: %s", err, p.Bob.Log())
		}
	}
}

// readAll reads what was captured from a place on.
func readAll(t *testing.T, capture *lab.Capture, from int) (all []lab.Clear) {
	t.Helper()
	time.Sleep(100 * time.Millisecond) // the capture is read a little later
	for _, d := range capture.Datagrams()[from:] {
		c, ok := lab.Read(d)
		if !ok {
			t.Fatalf("a datagram without underlay header: %x", d.Payload)
		}
		all = append(all, c)
	}
	return all
}
