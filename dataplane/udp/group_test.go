package udp

import (
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"
)

// TestGroup: user data for one layer-2 ID reaches one socket in its order, both its channels and both its forms;
// everything else, and what is too short, reaches the first.
func TestGroup(t *testing.T) {
	const n = 3
	for _, at := range []string{"127.0.0.1:0", "[::]:0"} {
		t.Run(at, func(t *testing.T) {
			group, err := ListenGroup(netip.MustParseAddrPort(at), n, Options{Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			got := make(chan string, 1024)
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
								got <- fmt.Sprintf("%d %x", i, d.Datagram())
							}
						}
					}
				}()
			}
			from := listen(t, "127.0.0.1:0")
			to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), group[0].LocalAddr().Port())
			want := func(socket int, d []byte) {
				t.Helper()
				if err := from.Send(to, d, len(d), 0); err != nil {
					t.Fatal(err)
				}
				select {
				case g := <-got:
					if g != fmt.Sprintf("%d %x", socket, d) {
						t.Errorf("%s, want socket %d", g, socket)
					}
				case <-time.After(5 * time.Second):
					t.Fatal("nothing arrived")
				}
			}
			for id := range byte(7) {
				for _, lcid := range []byte{4, 5} {
					for _, form := range []byte{0x10, 0x11} {
						want(int(id)%n, []byte{form, 0xA, 0xB, id, 1, 2, 3, lcid, 9})
					}
				}
				for _, lcid := range []byte{0, 1, 2, 58} {
					want(0, []byte{0x10, 0xA, 0xB, id, 1, 2, 3, lcid, 9})
				}
				want(0, []byte{0x12, 0xA, 0xB, id, 1, 2, 3, 4})    // a hint
				want(0, []byte{0x21, 0xA, 0xB, id, 1, 2, 3, 4, 9}) // another version
			}
			want(0, []byte{0x11})
			want(0, []byte{0x11, 0, 0, 1, 0, 0, 1})
		})
	}
}
