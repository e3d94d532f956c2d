package udp

import (
	"bytes"
	"log/slog"
	"net/netip"
	"testing"
	"time"
)

// TestGroup: user data of a sender reaches one socket in its order, whatever its layer-2 ID, channel and form, and not all
// senders the same; everything else, and what is too short, reaches the first.
func TestGroup(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::]:0"} {
		t.Run(at, func(t *testing.T) {
			group, got := receivers(t, at)
			to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), group[0].LocalAddr().Port())
			used := map[int]bool{}
			for range 30 {
				from := listen(t, "127.0.0.1:0")
				arrives := func(d []byte) int {
					t.Helper()
					if err := from.Send(to, d, len(d), 0); err != nil {
						t.Fatal(err)
					}
					a := next(t, got)
					if !bytes.Equal(a.datagram, d) {
						t.Fatalf("%x arrived, %x was sent", a.datagram, d)
					}
					return a.socket
				}
				own := arrives([]byte{0x11, 0xA, 0xB, 1, 1, 2, 3, 4, 9})
				used[own] = true
				for id := range byte(3) {
					for _, lcid := range []byte{4, 5} {
						for _, form := range []byte{0x10, 0x11} {
							if s := arrives([]byte{form, 0xA, 0xB, id, 1, 2, 3, lcid, 9}); s != own {
								t.Errorf("socket %d, want %d", s, own)
							}
						}
					}
				}
				for _, d := range [][]byte{
					{0x10, 0xA, 0xB, 1, 1, 2, 3, 0, 9}, {0x10, 0xA, 0xB, 1, 1, 2, 3, 1, 9}, {0x11, 0xA, 0xB, 1, 1, 2, 3, 2, 9}, // signalling
					{0x12, 0xA, 0xB, 1, 1, 2, 3, 4}, {0x21, 0xA, 0xB, 1, 1, 2, 3, 4, 9}, {0x11}, {0x11, 0, 0, 1, 0, 0, 1}, // a hint, another version, too short
				} {
					if s := arrives(d); s != 0 {
						t.Errorf("%x reached socket %d", d, s)
					}
				}
			}
			if len(used) < 2 {
				t.Errorf("all senders reach %v", used)
			}
		})
	}
}

// TestGroupOfCoalesced: what the kernel has put together reaches one socket, in its order.
func TestGroupOfCoalesced(t *testing.T) {
	group, got := receivers(t, "127.0.0.1:0")
	from := listen(t, "127.0.0.1:0")
	sent := [][]byte{{0x11, 0xA, 0xB, 1, 1, 2, 3, 4, 9}, {0x11, 0xA, 0xB, 2, 1, 2, 3, 4, 8}, {0x10, 0xFF, 0xFF, 0xFF, 1, 2, 3, 0, 7}}
	if err := from.Send(group[0].LocalAddr(), bytes.Join(sent, nil), 9, 0); err != nil {
		t.Fatal(err)
	}
	first := next(t, got)
	for i, a := range []arrival{first, next(t, got), next(t, got)} {
		if a.socket != first.socket || !bytes.Equal(a.datagram, sent[i]) {
			t.Errorf("%x at socket %d, want %x at %d", a.datagram, a.socket, sent[i], first.socket)
		}
	}
}

type arrival struct {
	socket   int
	datagram []byte
}

func next(t *testing.T, got <-chan arrival) arrival {
	t.Helper()
	select {
	case a := <-got:
		return a
	case <-time.After(5 * time.Second):
		t.Fatal("nothing arrived")
	}
	return arrival{}
}

// receivers are a group of three that receives.
func receivers(t *testing.T, at string) ([]*Socket, <-chan arrival) {
	t.Helper()
	group, err := ListenGroup(netip.MustParseAddrPort(at), 3, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan arrival, 1024)
	for i, s := range group {
		t.Cleanup(func() { _ = s.Close() })
		go func() {
			messages := NewMessages(4)
			for {
				k, err := s.Receive(messages, true)
				if err != nil {
					return
				}
				for j := range messages[:k] {
					for d := messages[j].Datagrams(); d.Next(); {
						got <- arrival{i, bytes.Clone(d.Datagram())}
					}
				}
			}
		}()
	}
	return group, got
}
