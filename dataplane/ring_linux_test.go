package dataplane_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

// flooded is an interface of the kernel whose host sends datagrams into it, many at a time, until it is stopped.
type flooded struct {
	tun  *tundev.Tun
	quit chan struct{}
	done sync.WaitGroup
}

func newFlooded(t *testing.T, i int) *flooded {
	t.Helper()
	d, err := tundev.Open(fmt.Sprintf("pc5-%d", i), 1400, tundev.Offloads{})
	if err != nil {
		t.Fatal(err)
	}
	f := &flooded{tun: d, quit: make(chan struct{})}
	link := f.link(t)
	address, _ := netlink.ParseAddr(fmt.Sprintf("10.9.%d.1/24", i))
	if err := netlink.AddrAdd(link, address); err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(10, 9, byte(i), 2), Port: 5000})
	if err != nil {
		t.Fatal(err)
	}
	f.done.Go(func() {
		defer conn.Close()
		for {
			for range 64 {
				_, _ = conn.Write(make([]byte, 64)) // an interface that is gone takes none
			}
			select {
			case <-f.quit:
				return
			case <-time.After(300 * time.Microsecond):
			}
		}
	})
	return f
}

func (f *flooded) link(t *testing.T) netlink.Link {
	t.Helper()
	link, err := netlink.LinkByName(f.tun.Name())
	if err != nil {
		t.Fatal(err)
	}
	return link
}

func (f *flooded) stop() {
	close(f.quit)
	f.done.Wait()
}

// ringWorks tells whether this kernel reads a TUN by a ring.
func ringWorks(t *testing.T) bool {
	t.Helper()
	d, err := tundev.Open("pc5-probe", 1400, tundev.Offloads{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var r tundev.Ring
	if err := r.Open(nil); err != nil {
		t.Log(err)
		return false
	}
	defer r.Close()
	_ = r.Read(d, [][]byte{make([]byte, 65545)}, make([]int, 1)) // of a silent interface
	return r.InUse()
}

// TestRingOfEngine: of an interface of the kernel every packet is sent or dropped with a reason, while the ring reads
// others, too, that come, go, are down, or are deleted by somebody else.
func TestRingOfEngine(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to make a network namespace")
	}
	runtime.LockOSThread() // never unlocked: the thread ends with its namespace
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs network namespaces: %v", err)
	}
	poller, err := tundev.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	network := udp.NewNetwork()
	conn := network.Listen(outerA)
	network.Listen(outerB)
	network.Lose(func(netip.AddrPort, netip.AddrPort, []byte) bool { return true })
	e := dataplane.New(dataplane.Config{Conn: conn, Poller: poller, Log: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	<-e.Ready()
	stays := newFlooded(t, 0)
	l, err := e.AddLink("stays", stays.tun)
	if err != nil {
		t.Fatal(err)
	}
	install(t, l, contextOf(1, true))
	for i := range uint16(30) {
		comes := newFlooded(t, 1+int(i)%3)
		other, err := e.AddLink(fmt.Sprint("comes", i), comes.tun)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			install(t, other, contextOf(2+i, true))
		}
		time.Sleep(5 * time.Millisecond) // of packets
		if i%5 == 4 {
			if err := netlink.LinkDel(comes.link(t)); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.RemoveLink(other); err != nil {
			t.Fatal(err)
		}
		comes.stop()
	}
	if works := ringWorks(t); e.Offloads().Ring != works {
		t.Errorf("the ring is in use: %v, it works here: %v", !works, works)
	}
	stays.stop()
	want := stays.link(t).Attrs().Statistics.TxPackets
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		c := l.Counters()
		seen := c.Sent.Packets
		for _, n := range c.Drops.All() {
			seen += n
		}
		if seen == want {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the interface gave %d packets, counters %+v", want, c)
		}
	}
	if stop(); <-done != nil {
		t.Error("the engine failed")
	}
	t.Logf("%d packets of one link", want)
	if e.Offloads().Ring {
		t.Error("the ring is in use after the end")
	}
}
