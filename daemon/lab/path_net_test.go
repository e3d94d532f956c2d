//go:build net

package lab_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"pc5d/daemon/lab"
)

// narrowed is how long a path that became narrow may go unnoticed: a confirmation every 3 s, and three
// probes without an answer.
const narrowed = 8 * time.Second

// content waits until both ends have records of a length, and settle there; it tells how long that took.
func content(t *testing.T, ctx context.Context, p *lab.Pair, want int, limit time.Duration) time.Duration {
	t.Helper()
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	last := ""
	ok := eventually(ctx, func() bool {
		last = ""
		for _, n := range []*lab.Node{p.Alice, p.Bob} {
			s, ok := status(ctx, n)
			if !ok || s.Path == nil || s.Path.Searching || s.Path.Content != want {
				last += fmt.Sprintf("%s: %+v ", n.Host.Name, s.Path)
			}
		}
		return last == ""
	})
	if !ok {
		t.Fatalf("records do not have %d octets within %v: %s: %s", want, limit, last, p.Alice.Log())
	}
	return time.Since(begin)
}

// widths changes the underlay at both ends.
func widths(t *testing.T, p *lab.Pair, alice, bob int) {
	t.Helper()
	if err := p.Alice.Host.SetMTU(alice); err != nil {
		t.Fatal(err)
	}
	if err := p.Bob.Host.SetMTU(bob); err != nil {
		t.Fatal(err)
	}
}

// traffic sends TCP both ways until it is told to stop; every transfer has to arrive as it was. The
// longest one is returned.
func traffic(t *testing.T, p *lab.Pair) (stop func() (transfers int, longest time.Duration)) {
	t.Helper()
	var over atomic.Bool
	type end struct {
		n       int
		longest time.Duration
		err     error
	}
	ends := make(chan end, 2)
	for _, n := range []*lab.Node{p.Alice, p.Bob} {
		go func() {
			var e end
			for ; !over.Load() && e.err == nil; e.n++ {
				begin := time.Now()
				_, e.err = n.Host.Transfer(n.Peer.Host, n.Peer.Four, 1<<20, []byte("the path changes"), 30*time.Second)
				e.longest = max(e.longest, time.Since(begin))
				time.Sleep(50 * time.Millisecond) // other tests run, too
			}
			ends <- e
		}()
	}
	return func() (transfers int, longest time.Duration) {
		over.Store(true)
		for range 2 {
			e := <-ends
			if e.err != nil {
				t.Errorf("transfer %d: %v", e.n, e.err)
			}
			transfers, longest = transfers+e.n, max(longest, e.longest)
		}
		return transfers, longest
	}
}

// strict demands that a packet of 1280 octets arrives, of either version of IP, and that the sender of a
// longer one that nobody may cut hears what passes, where the path is narrow.
func strict(t *testing.T, p *lab.Pair, narrow bool) {
	t.Helper()
	for _, to := range []netip.Addr{p.Bob.Four, p.Bob.Six} {
		if arrived, mtu, err := p.Alice.Host.Strict(p.Bob.Host, to, 1280, 2*time.Second); !arrived {
			t.Errorf("1280 octets to %s did not arrive: MTU %d, %v", to, mtu, err)
		}
		if !narrow {
			continue
		}
		var arrived bool
		var mtu int
		var err error
		for range 3 { // the first one is answered, if nobody has been told yet
			if arrived, mtu, err = p.Alice.Host.Strict(p.Bob.Host, to, 1396, 100*time.Millisecond); arrived || err != nil || mtu != 0 {
				break
			}
		}
		if arrived || err != nil || mtu != 1280 {
			t.Errorf("1396 octets to %s: arrived %v, the kernel knows an MTU of %d, %v", to, arrived, mtu, err)
		}
	}
}

// TestT59_MTUChanges: the underlay changes under traffic, from 1500 to 9000 to 1280 and back. Each time the
// link finds what passes; TCP goes on; short packets pass and senders of long ones are told.
func TestT59_MTUChanges(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
	defer cancel()
	p := pair(t, ctx, build(t), func(*lab.Pair) {})
	up(t, ctx, p.Alice)
	t.Logf("1408 octets after %v", content(t, ctx, p, 1408, 5*time.Second))
	if arrived, mtu, err := p.Alice.Host.Strict(p.Bob.Host, p.Bob.Six, 1396, 2*time.Second); !arrived {
		t.Errorf("1396 octets did not arrive: MTU %d, %v", mtu, err)
	}
	stop := traffic(t, p)
	for _, step := range []struct {
		mtu, content int
		limit        time.Duration
	}{
		{9000, 1408, time.Second}, {1400, 1280, narrowed}, {1280, 1152, narrowed}, {9000, 1408, 45 * time.Second}, {1500, 1408, time.Second},
	} {
		widths(t, p, step.mtu, step.mtu)
		took := content(t, ctx, p, step.content, step.limit)
		begin := time.Now()
		if _, err := p.Alice.Host.Ping(p.Bob.Four, 2*time.Second); err != nil {
			t.Errorf("underlay of %d octets: %v", step.mtu, err)
		}
		t.Logf("underlay of %d octets: records of %d after %v, ping %v", step.mtu, step.content, took, time.Since(begin))
		strict(t, p, step.content < 1408)
	}
	transfers, longest := stop()
	t.Logf("%d transfers, the longest took %v", transfers, longest)
	if longest > narrowed+5*time.Second || transfers < 10 {
		t.Errorf("%d transfers, the longest took %v", transfers, longest)
	}
	s, ok := status(ctx, p.Alice)
	if t.Logf("drops %v", s.Drops); !ok || s.Drops["bad_fragment"] > 0 || s.Drops["bad_frame"] > 0 {
		t.Errorf("drops %v", s.Drops)
	}
}

// TestT59_BlackHole: one end's interface takes less than the other end sends, and nobody says so.
func TestT59_BlackHole(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	p := pair(t, ctx, build(t), func(p *lab.Pair) {
		if err := p.OffloadsOff(); err != nil { // else trains of datagrams pass whole
			t.Fatal(err)
		}
	})
	up(t, ctx, p.Alice)
	content(t, ctx, p, 1408, 5*time.Second)
	stop := traffic(t, p)
	widths(t, p, 1500, 1350)
	t.Logf("noticed after %v", content(t, ctx, p, 1280, narrowed))
	strict(t, p, true)
	if transfers, longest := stop(); longest > narrowed+5*time.Second {
		t.Errorf("%d transfers, the longest took %v", transfers, longest)
	} else {
		t.Logf("%d transfers, the longest took %v", transfers, longest)
	}
}

// TestT59_ForgedICMP: what anybody says about the path changes nothing.
func TestT59_ForgedICMP(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	p := pair(t, ctx, build(t), func(*lab.Pair) {})
	up(t, ctx, p.Alice)
	content(t, ctx, p, 1408, 5*time.Second)
	stop := traffic(t, p)
	for range 20 {
		for _, mtu := range []int{0, 68, 576, 1280, 1400} {
			if err := p.Bob.Host.Forge(p.Alice.Host.Address, p.Bob.Host.Address, port, mtu); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(100 * time.Millisecond) // between the lies
		content(t, ctx, p, 1408, 10*time.Millisecond+time.Second)
	}
	// The kernel itself believed it: whoever asks it has a narrow path to bob.
	if _, mtu, err := p.Alice.Host.Strict(p.Bob.Host, p.Bob.Host.Address, 1400, time.Second); err != nil || mtu == 0 || mtu >= 1400 {
		t.Errorf("the forgery reached nobody: MTU %d, %v", mtu, err)
	}
	if arrived, mtu, err := p.Alice.Host.Strict(p.Bob.Host, p.Bob.Four, 1396, 2*time.Second); !arrived {
		t.Errorf("1396 octets did not arrive: MTU %d, %v", mtu, err)
	}
	transfers, longest := stop()
	s, ok := status(ctx, p.Alice)
	t.Logf("%d transfers, the longest took %v; drops %v", transfers, longest, s.Drops)
	if !ok || longest > 3*time.Second || s.Drops["too_big"] > 0 {
		t.Errorf("%d transfers, the longest took %v; drops %v", transfers, longest, s.Drops)
	}
}

// TestT59_LongInterfaceMTU: where the operators raised the MTU of the interfaces, long packets pass, over a
// path of 1500 octets as well as over one of 1280, where their senders are told.
func TestT59_LongInterfaceMTU(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	p := pair(t, ctx, build(t), func(p *lab.Pair) {
		for _, n := range []*lab.Node{p.Alice, p.Bob} {
			n.Tail = "mtu = 8000\n"
			if err := n.Provision(); err != nil {
				t.Fatal(err)
			}
		}
	})
	up(t, ctx, p.Alice)
	content(t, ctx, p, 1408, 5*time.Second)
	for _, to := range []netip.Addr{p.Bob.Four, p.Bob.Six} {
		for _, octets := range []int{1404, 1405, 8000} {
			if arrived, mtu, err := p.Alice.Host.Strict(p.Bob.Host, to, octets, 2*time.Second); !arrived {
				t.Errorf("%d octets to %s did not arrive: MTU %d, %v", octets, to, mtu, err)
			}
		}
	}
	stop := traffic(t, p)
	widths(t, p, 1280, 1280)
	content(t, ctx, p, 1152, narrowed)
	strict(t, p, true)
	if _, longest := stop(); longest > narrowed+5*time.Second {
		t.Errorf("the longest transfer took %v", longest)
	}
	if _, err := p.Bob.Host.Transfer(p.Alice.Host, p.Alice.Six, 1<<20, []byte("long packets"), 10*time.Second); err != nil {
		t.Errorf("over the narrow path: %v", err)
	}
}
