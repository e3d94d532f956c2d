//go:build net

package lab_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pc5d/daemon/lab"
)

const (
	// wireSeed decides what the wires of these tests do to a packet.
	wireSeed = 52
	// deep is how far packets are reordered: less than the 8,192 records of the replay window, and packets of
	// both planes count for it.
	deep = 4000
)

// wired is a pair with an established link over a wire that does nothing to packets yet.
func wired(t *testing.T, ctx context.Context, tail string) *lab.Pair {
	t.Helper()
	pc5d := build(t)
	p, err := lab.NewPairOverWire(t.TempDir(), wireSeed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, n := range []*lab.Node{p.Bob, p.Alice} {
		n.Tail = tail
		if err := errors.Join(n.Provision(), n.Start(ctx, pc5d)); err != nil {
			t.Fatal(err)
		}
	}
	up(t, ctx, p.Alice)
	await(t, ctx, p.Bob, "established")
	for _, n := range []*lab.Node{p.Alice, p.Bob} {
		if err := n.Host.Queue("pc5-"+n.Peer.Host.Name, 20_000); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func impair(t *testing.T, p *lab.Pair, i lab.Impairment) {
	t.Helper()
	if err := p.Wire.Impair(i); err != nil {
		t.Fatal(err)
	}
}

// carried adds both directions up.
func carried(p *lab.Pair) (sum lab.Carried) {
	for _, c := range p.Wire.Carried() {
		sum.Packets, sum.Lost, sum.Doubled, sum.Held = sum.Packets+c.Packets, sum.Lost+c.Lost, sum.Doubled+c.Doubled, sum.Held+c.Held
	}
	return sum
}

// drops adds up what both links dropped for a reason.
func drops(t *testing.T, ctx context.Context, p *lab.Pair, reason string) (sum uint64) {
	t.Helper()
	for _, n := range []*lab.Node{p.Alice, p.Bob} {
		s, ok := status(ctx, n)
		if !ok {
			t.Fatalf("%s does not answer", n.Host.Name)
		}
		sum += s.Drops[reason]
	}
	return sum
}

// counted sends numbered packets both ways while something is done.
func counted(t *testing.T, p *lab.Pair, rate int, meanwhile func()) lab.Count {
	t.Helper()
	full := overflows(t, p)
	f, err := startBoth(p, rate)
	if err != nil {
		t.Fatal(err)
	}
	meanwhile()
	c, err := f.stop()
	if err != nil {
		t.Fatal(err)
	}
	full = overflows(t, p) - full
	t.Logf("%d packets sent, %d lost (%d in full buffers of the kernel), %d doubled; the wire: %+v", c.Sent, c.Lost, full, c.Doubled, carried(p))
	c.Lost -= min(c.Lost, full)
	return c
}

// TestT52_C7_ReorderingOnTheWire: half of all packets are overtaken by up to 4,000 others, and every packet
// arrives; then half of all come twice as well, and every packet arrives once. TCP carries its octets
// through both.
func TestT52_C7_ReorderingOnTheWire(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	p := wired(t, ctx, "")
	const rate = 4000
	held := lab.Impairment{Hold: 0.5, Depth: deep, Longest: time.Second}
	for _, c := range []struct {
		name string
		lab.Impairment
	}{
		{"reordered", held},
		{"reordered and doubled", lab.Impairment{Hold: held.Hold, Double: 0.5, Depth: held.Depth, Longest: held.Longest}},
	} {
		impair(t, p, c.Impairment)
		got := counted(t, p, rate, func() { time.Sleep(3 * time.Second) }) // the length of the flow
		if got.Lost > 0 || got.Doubled > 0 {
			t.Errorf("%s: %d packets are lost, %d arrived twice", c.name, got.Lost, got.Doubled)
		}
		wire := carried(p)
		replayed, old := drops(t, ctx, p, "replayed"), drops(t, ctx, p, "too_old")
		t.Logf("%s: %d copies dropped as replayed, %d records as too old", c.name, replayed, old)
		if wire.Held < wire.Packets/3 || old > 0 || c.Double == 0 && replayed > 0 || c.Double > 0 && replayed < wire.Doubled*9/10 {
			t.Errorf("%s: wire %+v, %d replayed, %d too old", c.name, wire, replayed, old)
		}
	}
	impair(t, p, lab.Impairment{Hold: 0.02, Double: 0.02, Depth: 8, Longest: 20 * time.Millisecond})
	took, err := p.Alice.Host.Transfer(p.Bob.Host, p.Bob.Four, 64<<20, []byte("reordered"), 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("TCP: 64 MB in %v, %.0f Mbit/s, checksums equal; the wire: %+v", took.Round(time.Millisecond), (64<<20)*8/took.Seconds()/1e6, carried(p))
}

// TestT54_RekeyingOnReorderingWire: keys change, from both ends in turn, while packets of several keys are
// under way at once and some come twice: none is lost and none arrives twice.
func TestT54_RekeyingOnReorderingWire(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	p := wired(t, ctx, "")
	impair(t, p, lab.Impairment{Hold: 0.3, Double: 0.3, Depth: 500, Longest: 100 * time.Millisecond})
	got := counted(t, p, 4000, func() {
		for i := range 6 {
			n := []*lab.Node{p.Alice, p.Bob}[i%2]
			if _, err := n.Client.Rekey(ctx, n.Peer.Host.Name, 15*time.Second); err != nil {
				t.Fatalf("re-keying %d, by %s: %v: %s", i, n.Host.Name, err, n.Log())
			}
		}
	})
	if got.Lost > 0 || got.Doubled > 0 {
		t.Errorf("%d packets are lost, %d arrived twice", got.Lost, got.Doubled)
	}
	if s, ok := status(ctx, p.Bob); !ok || s.Rekeyings < 6 {
		t.Errorf("%d re-keyings", s.Rekeyings)
	}
}

// TestR21_UpdateOnReorderingWire: identifiers and ports change while packets under the old ones are still
// under way, and COUNT jumps with each update: none is lost and none arrives twice.
func TestR21_UpdateOnReorderingWire(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	p := wired(t, ctx, private+ports)
	impair(t, p, lab.Impairment{Hold: 0.3, Double: 0.3, Depth: 500, Longest: 100 * time.Millisecond})
	const updates = 4
	got := counted(t, p, 4000, func() {
		for i := range updates {
			n := []*lab.Node{p.Alice, p.Bob}[i%2]
			if _, err := n.Client.Update(ctx, n.Peer.Host.Name, 15*time.Second); err != nil {
				t.Fatalf("update %d, by %s: %v: %s", i, n.Host.Name, err, n.Log())
			}
		}
	})
	if got.Lost > 0 || got.Doubled > 0 {
		t.Errorf("%d packets are lost, %d arrived twice", got.Lost, got.Doubled)
	}
	// Where both ends want one at a time, one serves both.
	if s, ok := status(ctx, p.Bob); !ok || s.Updates < updates/2 {
		t.Errorf("%d updates", s.Updates)
	}
}

// TestT52_R8_R19_ModesOnReorderingWire: the two flags of the accept decide what becomes of a copy: with integrity
// it is dropped, without there is nothing to know it by. Nothing is lost in any mode.
func TestT52_R8_R19_ModesOnReorderingWire(t *testing.T) {
	t.Parallel()
	const open = "allow_unprotected = true\nintegrity = \"not-needed\"\n"
	for _, c := range []struct {
		name, policy         string
		integrity, ciphering bool
	}{
		{"both", "", true, true},
		{"integrity", "ciphering = \"not-needed\"\n", true, false},
		{"ciphering", open, false, true},
		{"neither", open + "ciphering = \"not-needed\"\n", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			p := wired(t, ctx, "[link.user_plane]\n"+c.policy)
			for _, n := range []*lab.Node{p.Alice, p.Bob} {
				s, ok := status(ctx, n)
				if !ok || s.Protection == nil || s.Protection.UserPlane.Integrity != c.integrity || s.Protection.UserPlane.Ciphering != c.ciphering {
					t.Fatalf("%s: %+v", n.Host.Name, s.Protection)
				}
			}
			impair(t, p, lab.Impairment{Hold: 0.3, Double: 0.3, Depth: 200, Longest: 100 * time.Millisecond})
			got := counted(t, p, 2000, func() { time.Sleep(time.Second) }) // the length of the flow
			if got.Lost > 0 || (got.Doubled > 0) == c.integrity {
				t.Errorf("%d packets are lost, %d arrived twice", got.Lost, got.Doubled)
			}
		})
	}
}
