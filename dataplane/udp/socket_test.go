package udp

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"
)

func listen(t testing.TB, at string) *Socket {
	t.Helper()
	s, err := Listen(netip.MustParseAddrPort(at), Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// collect receives until n datagrams came.
func collect(t testing.TB, c Conn, n int) (got [][]byte, from netip.AddrPort) {
	t.Helper()
	messages := NewMessages(4)
	for len(got) < n {
		k, err := c.Receive(messages, true)
		if err != nil {
			t.Fatal(err)
		}
		for i := range messages[:k] {
			from = messages[i].From
			for d := messages[i].Datagrams(); d.Next(); {
				got = append(got, bytes.Clone(d.Datagram()))
			}
		}
	}
	return got, from
}

func batch(n, size, last int) []byte {
	b := make([]byte, 0, n*size)
	for i := range n {
		d := bytes.Repeat([]byte{byte(i)}, size)
		if i == n-1 {
			d = d[:last]
		}
		b = append(b, d...)
	}
	return b
}

func TestSocketBatch(t *testing.T) {
	for _, tt := range []struct {
		name, a, b  string
		size, n, ln int
		plain       bool
	}{
		{"one", "127.0.0.1:0", "127.0.0.1:0", 100, 1, 100, false},
		{"segments", "127.0.0.1:0", "127.0.0.1:0", 1440, 44, 1440, false},
		{"last one shorter", "127.0.0.1:0", "127.0.0.1:0", 1440, 10, 33, false},
		{"without UDP_SEGMENT", "127.0.0.1:0", "127.0.0.1:0", 1440, 10, 33, true},
		{"IPv6", "[::1]:0", "[::1]:0", 1440, 10, 33, false},
		{"IPv4 to a dual stack socket", "127.0.0.1:0", "[::]:0", 1440, 10, 33, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := listen(t, tt.a), listen(t, tt.b)
			if tt.plain {
				a.segment.Store(false)
			}
			to := b.LocalAddr()
			if to.Addr().IsUnspecified() {
				to = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), to.Port())
			}
			out := batch(tt.n, tt.size, tt.ln)
			if err := a.Send(to, out, tt.size, 0); err != nil {
				t.Fatal(err)
			}
			got, from := collect(t, b, tt.n)
			if !bytes.Equal(bytes.Join(got, nil), out) || len(got[len(got)-1]) != tt.ln || len(got) != tt.n {
				t.Fatalf("%d datagrams, last %d octets, same octets %v", len(got), len(got[len(got)-1]), bytes.Equal(bytes.Join(got, nil), out))
			}
			if from != a.LocalAddr() {
				t.Fatalf("from %s, want %s", from, a.LocalAddr())
			}
			if err := b.Send(from, []byte("back"), 4, 0); err != nil {
				t.Fatal(err)
			}
			if back, _ := collect(t, a, 1); string(back[0]) != "back" {
				t.Fatalf("answer %q", back[0])
			}
		})
	}
}

// TestT60_TrafficClass: datagrams arrive with the traffic class that they were sent with, over both
// families, one by one and as segments.
func TestT60_TrafficClass(t *testing.T) {
	for _, tt := range []struct{ name, a, b, to string }{
		{"IPv4", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1"},
		{"IPv6", "[::1]:0", "[::1]:0", "::1"},
		{"IPv4 between dual stack sockets", "[::]:0", "[::]:0", "127.0.0.1"},
		{"IPv6 between dual stack sockets", "[::]:0", "[::]:0", "::1"},
	} {
		for _, plain := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, plain %v", tt.name, plain), func(t *testing.T) {
				a, b := listen(t, tt.a), listen(t, tt.b)
				if plain {
					a.segment.Store(false)
				}
				to := netip.AddrPortFrom(netip.MustParseAddr(tt.to), b.LocalAddr().Port())
				for _, class := range []uint8{0, 1, 2, 0xB9, 0} {
					if err := a.Send(to, batch(5, 100, 20), 100, class); err != nil {
						t.Fatal(err)
					}
					messages := NewMessages(8)
					for n := 0; n < 5; {
						k, err := b.Receive(messages, true)
						if err != nil {
							t.Fatal(err)
						}
						for i := range messages[:k] {
							if messages[i].Class != class {
								t.Fatalf("class %#x, want %#x", messages[i].Class, class)
							}
							for d := messages[i].Datagrams(); d.Next(); {
								n++
							}
						}
					}
				}
			})
		}
	}
}

func TestSendRefuses(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	// Refused before the kernel sees it.
	if err := a.Send(b.LocalAddr(), make([]byte, 80000), 40000, 0); !errors.Is(err, ErrBatch) {
		t.Fatalf("80,000 octets: %v", err)
	}
	for _, size := range []int{0, -1} {
		if err := a.Send(b.LocalAddr(), []byte("x"), size, 0); !errors.Is(err, ErrBatch) {
			t.Fatalf("size %d: %v", size, err)
		}
	}
	if err := a.Send(b.LocalAddr(), make([]byte, 65), 1, 0); !errors.Is(err, ErrBatch) {
		t.Fatalf("65 datagrams: %v", err)
	}
	if err := a.Send(netip.AddrPort{}, []byte("x"), 1, 0); err == nil {
		t.Fatal("sent to nowhere")
	}
}

func TestCloseWakesReceive(t *testing.T) {
	s := listen(t, "[::]:0")
	ended := make(chan error, 1)
	go func() {
		_, err := s.Receive(NewMessages(1), true)
		ended <- err
	}()
	time.Sleep(10 * time.Millisecond) // let it block; also right when it did not yet
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Fatalf("Receive after Close: %v", err)
	}
	if err := s.Send(netip.MustParseAddrPort("127.0.0.1:9"), []byte("x"), 1, 0); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("Send after Close: %v", err)
	}
}

func TestSocketNoAllocations(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	out, to, messages := batch(10, 1440, 1440), b.LocalAddr(), NewMessages(8)
	n := testing.AllocsPerRun(200, func() {
		if err := a.Send(to, out, 1440, 0); err != nil {
			t.Fatal(err)
		}
		for got := 0; got < len(out); {
			k, err := b.Receive(messages, true)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range messages[:k] {
				got += len(m.Data)
			}
		}
	})
	if n != 0 && !raceEnabled {
		t.Fatalf("%v allocations per batch", n)
	}
}

func TestT63OddSegmentSizes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		m     Message
		sizes []int
	}{
		{"absent", Message{Data: make([]byte, 10)}, []int{10}},
		{"negative", Message{Data: make([]byte, 10), Segment: -4}, []int{10}},
		{"larger than the buffer", Message{Data: make([]byte, 10), Segment: 11}, []int{10}},
		{"with a rest", Message{Data: make([]byte, 10), Segment: 4}, []int{4, 4, 2}},
		{"empty", Message{Segment: 4}, nil},
		{"cut", Message{Data: make([]byte, 10), Cut: true}, nil},
	} {
		var got []int
		for d := tt.m.Datagrams(); d.Next(); {
			got = append(got, len(d.Datagram()))
		}
		if len(got) != len(tt.sizes) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.sizes)
			continue
		}
		for i := range got {
			if got[i] != tt.sizes[i] {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.sizes)
			}
		}
	}
}

func FuzzReadControl(f *testing.F) {
	f.Add(make([]byte, 48))
	f.Add([]byte{20, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 104, 0, 0, 0, 0xa0, 5, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, control []byte) {
		aligned := make([]byte, 3*controlSpace) // as the kernel writes it: aligned, bounded
		readControl(aligned[:copy(aligned, control)])
	})
}

func TestFakeNetwork(t *testing.T) {
	n := NewNetwork()
	a, b := n.Listen(netip.MustParseAddrPort("192.0.2.1:1")), n.Listen(netip.MustParseAddrPort("192.0.2.2:1"))
	if err := a.Send(b.LocalAddr(), batch(3, 10, 4), 10, 0); err != nil {
		t.Fatal(err)
	}
	if got, from := collect(t, b, 3); len(got[2]) != 4 || from != a.LocalAddr() {
		t.Fatalf("got %v from %s", got, from)
	}
	n.Lose(func(_, _ netip.AddrPort, d []byte) bool { return d[0] == 1 })
	if err := a.Send(b.LocalAddr(), batch(3, 10, 4), 10, 0); err != nil {
		t.Fatal(err)
	}
	if got, _ := collect(t, b, 2); got[1][0] != 2 {
		t.Fatalf("got %v", got)
	}
	b.Close()
	if _, err := b.Receive(NewMessages(1), true); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("closed: %v", err)
	}
}

func TestFakeNetworkChoosesPorts(t *testing.T) {
	n, at := NewNetwork(), netip.MustParseAddrPort("192.0.2.1:0")
	taken := n.Listen(netip.AddrPortFrom(at.Addr(), firstPort))
	a, b := n.Listen(at), n.Listen(at)
	if a.LocalAddr() == b.LocalAddr() || a.LocalAddr() == taken.LocalAddr() || a.LocalAddr().Port() < firstPort {
		t.Fatalf("ports %s, %s beside %s", a.LocalAddr(), b.LocalAddr(), taken.LocalAddr())
	}
	a.Close()
	if again := n.Listen(a.LocalAddr()); n.find(netip.AddrPort{}, a.LocalAddr(), nil) != again {
		t.Fatal("a closed end stands in the way of a new one")
	}
	a.Close()
	if n.find(netip.AddrPort{}, a.LocalAddr(), nil) == nil {
		t.Fatal("closing an end twice took the new one away")
	}
}

// TestT30_AnswerNeverWaits: an answer arrives and costs no memory; where more than its share of the
// buffer waits it is not sent.
func TestT30_AnswerNeverWaits(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	out, to, messages := []byte("cookie"), b.LocalAddr(), NewMessages(1)
	n := testing.AllocsPerRun(200, func() {
		if err := a.Answer(to, out, 4); err != nil {
			t.Fatal(err)
		}
		if k, err := b.Receive(messages, true); err != nil || k != 1 || string(messages[0].Data) != "cookie" {
			t.Fatalf("%d messages, %v", k, err)
		}
	})
	if n != 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
	if a.buffer < 1<<16 {
		t.Errorf("a buffer of %d octets", a.buffer)
	}
	a.buffer = -4 // so that what waits, nothing, is too much
	if err := a.Answer(to, out, 4); err != ErrBusy {
		t.Errorf("a full buffer: %v", err)
	}
	if err := a.Send(to, out, len(out), 0); err != nil {
		t.Errorf("others have no room: %v", err)
	}
	if err := a.Answer(to, nil, 4); err != ErrBatch {
		t.Errorf("nothing: %v", err)
	}
}
