package udp

import (
	"errors"
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestReceiveUnheard: a wait that the scheduler of Go does not hear of, here one of an hour, ends by a datagram and by
// Close, and does not keep the collector from its work.
func TestReceiveUnheard(t *testing.T) {
	s := listen(t, "127.0.0.1:0")
	hour := unix.NsecToTimeval(time.Hour.Nanoseconds())
	if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &hour); err != nil {
		t.Fatal(err)
	}
	type result struct {
		n   int
		err error
	}
	ended, messages := make(chan result), NewMessages(1)
	wait := func() {
		n, err := s.Receive(messages, true)
		ended <- result{n, err}
	}
	for range 2 {
		s.inbox.expected.Came(time.Now().Add(time.Hour))
	}
	go wait()
	for range 10 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	if err := s.Send(s.LocalAddr(), []byte("x"), 1, 0); err != nil {
		t.Fatal(err)
	}
	if r := <-ended; r.err != nil || r.n != 1 || string(messages[0].Data) != "x" {
		t.Errorf("a datagram: %d, %q, %v", r.n, messages[0].Data, r.err)
	}
	for range 2 {
		s.inbox.expected.Came(time.Now().Add(time.Hour))
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

// TestReceiveHearsLater: what comes after the wait that nobody hears of is not missed.
func TestReceiveHearsLater(t *testing.T) {
	s, messages := listen(t, "127.0.0.1:0"), NewMessages(2)
	for _, after := range []time.Duration{0, 0, time.Millisecond, 30 * time.Millisecond, 0, 0, 30 * time.Millisecond} {
		time.AfterFunc(after, func() { _ = s.Send(s.LocalAddr(), []byte("x"), 1, 0) })
		if n, err := s.Receive(messages, true); n != 1 || err != nil {
			t.Fatalf("after %v: %d, %v", after, n, err)
		}
		if n, err := s.Receive(messages, false); n != 0 || err != nil {
			t.Fatalf("nothing is there: %d, %v", n, err)
		}
	}
}
