package tundev

import (
	"bytes"
	"errors"
	"net"
	"os"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// inNamespace moves the test into a network namespace of its own. The thread is never
// unlocked, so it ends with the goroutine.
func inNamespace(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to make a network namespace")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs network namespaces: %v", err)
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skip("needs /dev/net/tun")
	}
}

func TestRealTun(t *testing.T) {
	inNamespace(t)
	before := goleak.IgnoreCurrent()
	d, err := Open("pc5-test", 1400, Offloads{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Add(d, 7); err != nil {
		t.Fatal(err)
	}
	link, err := netlink.LinkByName("pc5-test")
	if err != nil {
		t.Fatalf("the interface did not outlive the wireguard device: %v", err)
	}
	if link.Attrs().MTU != 1400 || d.Name() != "pc5-test" {
		t.Fatalf("MTU %d, name %s", link.Attrs().MTU, d.Name())
	}
	if _, err := d.Read(make([]byte, 65546)); !errors.Is(err, ErrAgain) {
		t.Fatalf("read of a silent interface: %v", err)
	}
	address, _ := netlink.ParseAddr("10.9.0.1/24")
	if err := errors.Join(netlink.AddrAdd(link, address), netlink.LinkSetUp(link)); err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(10, 9, 0, 1), Port: 4000})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.WriteTo([]byte("out"), &net.UDPAddr{IP: net.IPv4(10, 9, 0, 2), Port: 5000}); err != nil {
		t.Fatal(err)
	}
	b := readUDP(t, p, d)
	if h := ReadHeader(b); h.Flags != NeedsChecksum || h.Super() || h.ChecksumStart != 20 || h.Checksum != 6 || !bytes.HasSuffix(b, []byte("out")) {
		t.Fatalf("read %x", b)
	}
	// The same packet back: addresses and ports change places, so both sums stay right.
	ip := b[HeaderLen:]
	for i := range 4 {
		ip[12+i], ip[16+i] = ip[16+i], ip[12+i]
	}
	for i := range 2 {
		ip[20+i], ip[22+i] = ip[22+i], ip[20+i]
	}
	if _, err := d.Write(b); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 10)
	n, from, err := conn.ReadFromUDP(got)
	if err != nil || string(got[:n]) != "out" || from.Port != 5000 {
		t.Fatalf("host received %q from %v, %v", got[:n], from, err)
	}
	if err := errors.Join(p.Remove(d), p.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(make([]uint32, 1), true); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("Wait after Close: %v", err)
	}
	if _, err := netlink.LinkByName("pc5-test"); err == nil {
		t.Fatal("the interface outlived its device")
	}
	goleak.VerifyNone(t, before)
}

// readUDP waits for the test's own packet; the host also says IPv6 things of its own.
func readUDP(t *testing.T, p *Epoll, d *Tun) []byte {
	t.Helper()
	b, keys := make([]byte, 65546), make([]uint32, 4)
	for {
		n, err := p.Wait(keys, true)
		if err != nil || n != 1 || keys[0] != 7 {
			t.Fatalf("Wait = %d, %v, %v", n, keys[:n], err)
		}
		k, err := d.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if k > HeaderLen+28 && b[HeaderLen] == 0x45 && b[HeaderLen+9] == unix.IPPROTO_UDP {
			return b[:k]
		}
	}
}

func TestPollerCloseWakes(t *testing.T) {
	p, err := NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := p.Wait(make([]uint32, 1), true)
		ended <- err
	}()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Fatalf("Wait: %v", err)
	}
	if err := p.Add(&Tun{name: "x", fd: -1}, 1); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("Add: %v", err)
	}
	if err := p.Add(NewFake("x"), 1); err == nil {
		t.Fatal("took a fake")
	}
}
