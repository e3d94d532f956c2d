//go:build net

package lab_test

import (
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"pc5d/daemon/lab"
)

// TestOffloadsOff: the same transfer crosses the wire in far more packets, each no larger than the
// wire's MTU.
func TestOffloadsOff(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	l, err := lab.New()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const octets = 8 << 20
	with := packets(t, l, octets)
	if err := l.OffloadsOff(); err != nil {
		t.Fatal(err)
	}
	without := packets(t, l, octets)
	if least := uint64(octets / 1500); without < least || with > without/2 {
		t.Errorf("%d packets with offloads, %d without; want at least %d, and less than half as many with them", with, without, least)
	}
}

// packets counts those in which a transfer arrives.
func packets(t *testing.T, l *lab.Lab, octets int64) uint64 {
	t.Helper()
	count := func() (n uint64) {
		err := l.B.Do(func() error {
			wire, err := netlink.LinkByName(lab.Underlay)
			if err == nil {
				n = wire.Attrs().Statistics.RxPackets
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	if _, err := l.A.Transfer(l.B, l.B.Address, octets, []byte("offload"), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	return count() - before
}

// TestEchoes: each echo comes back over an idle wire.
func TestEchoes(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	l, err := lab.New()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	took, err := l.A.Echoes(t.Context(), l.B.Address, time.Millisecond, 50)
	if err != nil || len(took) != 50 {
		t.Fatalf("%d echoes, %v", len(took), err)
	}
	for i, d := range took {
		if d <= 0 || d >= lab.EchoWait {
			t.Errorf("echo %d took %v", i, d)
		}
	}
}
