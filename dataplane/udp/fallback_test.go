package udp

import (
	"bytes"
	"log/slog"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFallbacks: without each of the offloads the same datagrams arrive.
func TestFallbacks(t *testing.T) {
	for _, c := range []struct {
		name          string
		without, want Offloads
	}{
		{"nothing", Offloads{}, Offloads{Segment: true, Coalesce: true}},
		{"UDP_SEGMENT", Offloads{Segment: true}, Offloads{Coalesce: true}},
		{"UDP_GRO", Offloads{Coalesce: true}, Offloads{Segment: true}},
		{"both", Offloads{Segment: true, Coalesce: true}, Offloads{}},
	} {
		t.Run("without "+c.name, func(t *testing.T) {
			o := Options{Without: c.without, Log: slog.New(slog.DiscardHandler)}
			var ends [2]*Socket
			for i := range ends {
				s, err := Listen(netip.MustParseAddrPort("127.0.0.1:0"), o)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if got := s.Offloads(); got != c.want {
					t.Fatalf("in use %+v, want %+v", got, c.want)
				}
				ends[i] = s
			}
			sent := batch(5, 200, 50)
			if err := ends[0].Send(ends[1].LocalAddr(), sent, 200, 0); err != nil {
				t.Fatal(err)
			}
			if got, _ := collect(t, ends[1], 5); !bytes.Equal(bytes.Join(got, nil), sent) {
				t.Errorf("%d other octets arrived", len(bytes.Join(got, nil)))
			}
		})
	}
}

// TestFallback_EIO: the kernel refuses to segment for a device, or a transport, that can not have it. The
// datagrams leave one by one, and it is not asked again. UDP-Lite is refused in the same way.
func TestFallback_EIO(t *testing.T) {
	var fds [2]int
	for i := range fds {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDPLITE)
		if err != nil {
			t.Skipf("needs UDP-Lite, which refuses segmentation: %v", err)
		}
		defer unix.Close(fd)
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			t.Fatal(err)
		}
		fds[i] = fd
	}
	bound, err := unix.Getsockname(fds[1])
	if err != nil {
		t.Fatal(err)
	}
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(bound.(*unix.SockaddrInet4).Port))
	s := &Socket{fd: fds[0], four: true}
	s.senders.New = func() any { return new(sender) }
	s.segment.Store(true)
	m := s.senders.Get().(*sender)
	if err := m.address(to, true); err != nil {
		t.Fatal(err)
	}
	if err := m.segmented(s.fd, batch(3, 100, 10), 100); err != unix.EIO {
		t.Skipf("this kernel does not refuse it: %v", err)
	}
	sent := batch(3, 100, 10)
	if err := s.Send(to, sent, 100, 0); err != nil {
		t.Fatal(err)
	}
	if s.Offloads().Segment {
		t.Error("it will be asked again")
	}
	var got []byte
	for range 3 {
		b := make([]byte, 200)
		n, _, err := unix.Recvfrom(fds[1], b, unix.MSG_DONTWAIT)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b[:n]...)
	}
	if !bytes.Equal(got, sent) {
		t.Errorf("received %d octets, want %d", len(got), len(sent))
	}
}
