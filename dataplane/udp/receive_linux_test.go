package udp

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// listenLane opens a socket that may wait unheard.
func listenLane(t *testing.T) *Socket {
	t.Helper()
	s, err := ListenGroup(netip.MustParseAddrPort("127.0.0.1:0"), 1, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s[0].Close() })
	return s[0]
}

// heard tells whether the scheduler of Go knows of a goroutine here that waits in the kernel.
func heard() bool {
	all := make([]byte, 1<<20)
	return bytes.Contains(all[:runtime.Stack(all, true)], []byte(" [syscall"))
}

// TestReceiveUnheard: a wait that the scheduler of Go does not hear of, here one of an hour, ends by a datagram and by
// Close, and does not keep the collector from its work. A socket that is no lane's is heard of.
func TestReceiveUnheard(t *testing.T) {
	type result struct {
		n   int
		err error
	}
	for _, lane := range []bool{true, false} {
		s, messages, ended := listen(t, "127.0.0.1:0"), NewMessages(1), make(chan result)
		if lane {
			s = listenLane(t)
		}
		wait := func() {
			for range 2 {
				s.inbox.expected.Came(time.Now().Add(time.Hour))
			}
			n, err := s.Receive(messages, true)
			ended <- result{n, err}
		}
		go wait()
		for range 10 {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
		if heard() == lane {
			t.Errorf("a lane: %t; the scheduler of Go hears of the wait: %t", lane, lane)
		}
		if err := s.Send(s.LocalAddr(), []byte("x"), 1, 0); err != nil {
			t.Fatal(err)
		}
		if r := <-ended; r.err != nil || r.n != 1 || string(messages[0].Data) != "x" {
			t.Errorf("a datagram: %d, %q, %v", r.n, messages[0].Data, r.err)
		}
		go wait()
		time.Sleep(time.Millisecond)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if r := <-ended; !errors.Is(r.err, net.ErrClosed) {
			t.Errorf("after Close: %v", r.err)
		}
	}
}

// TestReceiveExpects: what came twice soon is expected; what comes later is not missed.
func TestReceiveExpects(t *testing.T) {
	s, messages := listenLane(t), NewMessages(2)
	for _, after := range []time.Duration{0, 0, time.Millisecond, 30 * time.Millisecond, 0, 0, 30 * time.Millisecond} {
		time.AfterFunc(after, func() { _ = s.Send(s.LocalAddr(), []byte("x"), 1, 0) })
		if n, err := s.Receive(messages, true); n != 1 || err != nil {
			t.Fatalf("after %v: %d, %v", after, n, err)
		}
		if n, err := s.Receive(messages, false); n != 0 || err != nil {
			t.Fatalf("nothing is there: %d, %v", n, err)
		}
	}
	expected := false
	for range 100 { // a busy machine is late now and then
		_ = s.Send(s.LocalAddr(), []byte("x"), 1, 0)
		if _, err := s.Receive(messages, true); err != nil {
			t.Fatal(err)
		}
		expected = expected || s.inbox.expected.Left(time.Now()) > 0
	}
	if !expected {
		t.Error("nothing is expected after a hundred datagrams")
	}
}
