package tundev

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestFallbacks: whatever the kernel is asked to leave out, a packet that the host sends comes with a
// checksum that is whole or left undone as its header says, and one with a checksum left undone, or of a
// super-packet that was cut, reaches the host.
func TestFallbacks(t *testing.T) {
	for _, c := range []struct {
		name          string
		without, want Offloads
	}{
		{"nothing", Offloads{}, Offloads{Header: true, TCP: true, UDP: true, Takes: true}},
		{"datagrams", Offloads{UDP: true}, Offloads{Header: true, TCP: true, Takes: true}},
		{"tcp", Offloads{TCP: true}, Offloads{Header: true, Takes: true}},
		{"super-packets written", Offloads{Takes: true}, Offloads{Header: true, TCP: true, UDP: true}},
		{"header", Offloads{Header: true}, Offloads{}},
	} {
		t.Run("without "+c.name, func(t *testing.T) {
			inNamespace(t)
			d, err := Open("pc5-test", 1400, c.without)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			got := d.Offloads()
			if c.want.UDP && !got.UDP {
				t.Log("this kernel has no TUN_F_USO4")
				got.UDP = true
			}
			if got != c.want {
				t.Fatalf("in use %+v, want %+v", got, c.want)
			}
			passes(t, d)
		})
	}
}

// passes sends a datagram out of the device, and the same one back in, alone and as two of a super-packet.
func passes(t *testing.T, d *Tun) {
	t.Helper()
	link, err := netlink.LinkByName(d.Name())
	if err != nil {
		t.Fatal(err)
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
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	p, err := NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Add(d, 7); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.WriteTo([]byte("outward!"), &net.UDPAddr{IP: net.IPv4(10, 9, 0, 2), Port: 5000}); err != nil {
		t.Fatal(err)
	}
	b := readUDP(t, p, d)
	ip := b[HeaderLen:]
	if h := ReadHeader(b); d.Offloads().TCP != (h.Flags == NeedsChecksum) || h.Complete(ip) != nil || Sum(17+16, ip[12:]) != 0xFFFF {
		t.Fatalf("offloads %+v, read %x", d.Offloads(), b)
	}
	for i := range 4 {
		ip[12+i], ip[16+i] = ip[16+i], ip[12+i]
	}
	for i := range 2 {
		ip[20+i], ip[22+i] = ip[22+i], ip[20+i]
	}
	PutUDPLengths(ip, 20) // the sum over the pseudo header only
	whole := Header{Flags: NeedsChecksum, HeaderLen: 28, ChecksumStart: 20, Checksum: 6}
	write := func(segment []byte) error {
		_, err := d.Write(append(make([]byte, HeaderLen), segment...))
		return err
	}
	train := append([]byte(nil), ip...)
	whole.Put(b)
	if _, err := d.Write(b); err != nil {
		t.Fatal(err)
	}
	heard(t, conn, "outward!")
	h := whole
	h.GSOType, h.GSOSize = GSOUDP, 4
	h.Put(b)
	copy(ip, train)
	if _, err := d.Write(b); errors.Is(err, unix.EINVAL) {
		if err := Segment(h, train, write); err != nil {
			t.Fatal(err)
		}
	} else if err != nil || !d.Offloads().Takes {
		t.Fatalf("write of a super-packet: %v", err)
	}
	heard(t, conn, "outw")
	heard(t, conn, "ard!")
}

func heard(t *testing.T, conn *net.UDPConn, want string) {
	t.Helper()
	got := make([]byte, 20)
	n, _, err := conn.ReadFromUDP(got)
	if err != nil || string(got[:n]) != want {
		t.Fatalf("host received %q, %v, want %q", got[:n], err, want)
	}
}
