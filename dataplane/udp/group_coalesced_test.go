package udp

import (
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"
)

// TestGroupOfCoalesced: the kernel chooses a socket for all datagrams that it has put together by the first one.
// One of another layer-2 ID, and a stranger's, reach that one's socket.
func TestGroupOfCoalesced(t *testing.T) {
	group, err := ListenGroup(netip.MustParseAddrPort("127.0.0.1:0"), 3, Options{Log: slog.New(slog.DiscardHandler)})
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
	for name, second := range map[string][]byte{
		"user data for another layer-2 ID": {0x11, 0xA, 0xB, 2, 1, 2, 3, 4, 9},
		"a stranger's":                     {0x10, 0xFF, 0xFF, 0xFF, 1, 2, 3, 0, 9},
	} {
		first := []byte{0x11, 0xA, 0xB, 1, 1, 2, 3, 4, 9} // socket 1
		want := fmt.Sprintf("0 %x", second)
		if second[0] == 0x11 {
			want = fmt.Sprintf("2 %x", second)
		}
		if err := from.Send(group[0].LocalAddr(), append(first, second...), len(second), 0); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			select {
			case g := <-got:
				if g != want && g != fmt.Sprintf("1 %x", []byte{0x11, 0xA, 0xB, 1, 1, 2, 3, 4, 9}) {
					t.Errorf("%s: %s, want %s", name, g, want)
				}
			case <-time.After(5 * time.Second):
				t.Fatal("nothing arrived")
			}
		}
	}
}
