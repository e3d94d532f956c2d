package lab

import (
	"encoding/binary"
	"sync/atomic"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
)

// TestEchoReply: only a whole reply to this series counts, with and without IP options.
func TestEchoReply(t *testing.T) {
	e := &echo{id: 0xABCD, sent: make([]atomic.Int64, 10)}
	packet := func(header int, kind icmp.Type, id, seq int) []byte {
		m, err := (&icmp.Message{Type: kind, Body: &icmp.Echo{ID: id, Seq: seq}}).Marshal(nil)
		if err != nil {
			t.Fatal(err)
		}
		ip := make([]byte, header, header+len(m))
		ip[0] = 4<<4 | byte(header/4)
		binary.BigEndian.PutUint16(ip[2:], uint16(header+len(m)))
		return append(ip, m...)
	}
	good := packet(20, ipv4.ICMPTypeEchoReply, 0xABCD, 9)
	for _, b := range [][]byte{good, packet(60, ipv4.ICMPTypeEchoReply, 0xABCD, 9)} {
		if seq, ok := e.reply(b); !ok || seq != 9 {
			t.Errorf("got %d, %v of % x", seq, ok, b)
		}
	}
	bad := [][]byte{
		packet(20, ipv4.ICMPTypeEcho, 0xABCD, 9),
		packet(20, ipv4.ICMPTypeEchoReply, 0xABCE, 9),
		packet(20, ipv4.ICMPTypeEchoReply, 0xABCD, 10),
		packet(60, ipv4.ICMPTypeEchoReply, 0xABCD, 9)[:60],
	}
	for n := range good {
		bad = append(bad, good[:n])
	}
	for _, b := range bad {
		if seq, ok := e.reply(b); ok {
			t.Errorf("%d, of % x", seq, b)
		}
	}
}
