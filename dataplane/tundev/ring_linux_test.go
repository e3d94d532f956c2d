package tundev

import (
	"bytes"
	"errors"
	"net"
	"os"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// openRing gives a ring that works at a device, where the kernel has such.
func openRing(t *testing.T, d Device) *Ring {
	t.Helper()
	r := new(Ring)
	lost := func(err error) { t.Skipf("needs an io_uring that reads a TUN: %v", err) }
	if err := r.Open(lost); err != nil {
		lost(err)
	}
	t.Cleanup(r.Close)
	into, lengths := rooms(1)
	if err := r.Read(d, into, lengths); !errors.Is(err, ErrAgain) {
		t.Fatalf("read of a silent interface: %v", err)
	}
	r.lost = func(err error) { t.Errorf("the ring was given up: %v", err) }
	return r
}

// silentTun is an interface of a namespace of its own through which nobody but the test says anything.
func silentTun(t *testing.T, without Offloads) (*Tun, netlink.Link, *net.UDPConn) {
	t.Helper()
	inNamespace(t)
	d, err := Open("pc5-test", 1400, without)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/pc5-test/disable_ipv6", []byte("1"), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	link, err := netlink.LinkByName("pc5-test")
	if err != nil {
		t.Fatal(err)
	}
	address, _ := netlink.ParseAddr("10.9.0.1/24")
	if err := errors.Join(netlink.AddrAdd(link, address), netlink.LinkSetUp(link)); err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(10, 9, 0, 2), Port: 5000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return d, link, conn
}

func rooms(n int) (into [][]byte, lengths []int) {
	for range n {
		into = append(into, make([]byte, HeaderLen+65535))
	}
	return into, make([]int, n)
}

// readAll reads until nothing is there, and gives the payload of each datagram.
func readAll(t *testing.T, r *Ring, d Device, at int) (got [][]byte) {
	t.Helper()
	into, lengths := rooms(at)
	for {
		err := r.Read(d, into, lengths)
		for i, n := range lengths {
			if n > 0 {
				got = append(got, bytes.Clone(into[i][HeaderLen+28:n]))
			}
		}
		if errors.Is(err, ErrAgain) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestRing: however many are read at once, by a ring or one by one, packets come whole and in their order,
// and a device that has none says so.
func TestRing(t *testing.T) {
	for _, tt := range []struct {
		name    string
		ring    func(*testing.T, Device) *Ring
		without Offloads
	}{
		{"several at once", openRing, Offloads{}},
		{"one by one", func(*testing.T, Device) *Ring { return new(Ring) }, Offloads{}},
		{"no virtio-net header", openRing, Offloads{Header: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, _, conn := silentTun(t, tt.without)
			r := tt.ring(t, d)
			for _, at := range []int{1, 2, 7, MostReads} {
				var sent [][]byte
				for i := range 70 {
					sent = append(sent, bytes.Repeat([]byte{byte(i)}, 1+i*19))
					if _, err := conn.Write(sent[i]); err != nil {
						t.Fatal(err)
					}
				}
				got := readAll(t, r, d, at)
				if len(got) != len(sent) {
					t.Fatalf("%d at once: %d packets of %d", at, len(got), len(sent))
				}
				for i := range sent {
					if !bytes.Equal(got[i], sent[i]) {
						t.Fatalf("%d at once: packet %d is %x, want %x", at, i, got[i], sent[i])
					}
				}
				if got := readAll(t, r, d, at); len(got) != 0 {
					t.Fatalf("a silent interface gave %x", got)
				}
			}
		})
	}
}

func TestRingAllocatesNothing(t *testing.T) {
	d, _, _ := silentTun(t, Offloads{})
	r := openRing(t, d)
	into, lengths := rooms(MostReads)
	if n := testing.AllocsPerRun(100, func() { _ = r.Read(d, into, lengths) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// TestRingDeviceGone: an interface that somebody deleted is an error of the device, and no fault of the ring.
func TestRingDeviceGone(t *testing.T) {
	d, link, _ := silentTun(t, Offloads{})
	r := openRing(t, d)
	if err := netlink.LinkDel(link); err != nil {
		t.Fatal(err)
	}
	into, lengths := rooms(4)
	if err := r.Read(d, into, lengths); err == nil || errors.Is(err, ErrAgain) {
		t.Fatalf("read of a deleted interface: %v", err)
	}
	if !r.InUse() {
		t.Fatal("the ring was given up")
	}
}

// TestRingUnfit: a descriptor that must not be asked not to wait, as a TUN before Linux 6.4, is not failed for it.
func TestRingUnfit(t *testing.T) {
	tun, _, _ := silentTun(t, Offloads{})
	r := openRing(t, tun)
	var lost error
	r.lost = func(err error) { lost = err }
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	d := &Tun{name: "unfit", fd: fd, offloads: Offloads{Header: true}}
	defer d.Close()
	into, lengths := rooms(MostReads)
	for range 2 {
		if err := r.Read(d, into, lengths); !errors.Is(err, ErrAgain) {
			t.Fatal(err)
		}
	}
	if r.InUse() || !errors.Is(lost, unix.EOPNOTSUPP) {
		t.Fatalf("in use %v, lost because of %v", r.InUse(), lost)
	}
}

// TestRingBroken: a ring that the kernel serves no more loses nothing; packets are read one by one from then on.
func TestRingBroken(t *testing.T) {
	d, _, conn := silentTun(t, Offloads{})
	r := openRing(t, d)
	r.lost = nil
	if _, err := conn.Write([]byte("kept")); err != nil {
		t.Fatal(err)
	}
	null, err := unix.Open(os.DevNull, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(null)
	if err := unix.Dup3(null, r.queues.fd, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	into, lengths := rooms(4)
	if err := r.Read(d, into, lengths); !errors.Is(err, ErrAgain) || lengths[0] != 0 || r.InUse() {
		t.Fatalf("%v, read %d octets, in use %v", err, lengths[0], r.InUse())
	}
	if got := readAll(t, r, d, 4); len(got) != 1 || string(got[0]) != "kept" {
		t.Fatalf("read %q", got)
	}
}
