package tundev

import (
	"bytes"
	"errors"
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestEpollUnheard: a wait that the scheduler of Go does not hear of, here one of an hour, ends by an event and by Close,
// and does not keep the collector from its work.
func TestEpollUnheard(t *testing.T) {
	p, err := NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := p.Add(&Tun{fd: fd, name: "pc5-test"}, 7); err != nil {
		t.Fatal(err)
	}
	type result struct {
		key uint32
		err error
	}
	ended := make(chan result)
	wait := func() {
		for range 2 {
			p.expected.Came(time.Now().Add(time.Hour))
		}
		var keys [1]uint32
		_, err := p.Wait(keys[:], true)
		ended <- result{keys[0], err}
	}
	go wait()
	for range 10 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	all := make([]byte, 1<<20)
	if bytes.Contains(all[:runtime.Stack(all, true)], []byte(" [syscall")) {
		t.Error("the scheduler of Go hears of the wait")
	}
	if _, err := unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if r := <-ended; r.err != nil || r.key != 7 {
		t.Errorf("an event: key %d, %v", r.key, r.err)
	}
	if _, err := unix.Read(fd, make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	go wait()
	time.Sleep(time.Millisecond)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if r := <-ended; !errors.Is(r.err, net.ErrClosed) {
		t.Errorf("after Close: %v", r.err)
	}
}

// TestEpollExpects: what came twice soon is expected; what comes later is not missed.
func TestEpollExpects(t *testing.T) {
	p, err := NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	if err := p.Add(&Tun{fd: pipe[0], name: "pc5-test"}, 7); err != nil {
		t.Fatal(err)
	}
	var keys [1]uint32
	for _, after := range []time.Duration{0, 0, time.Millisecond, 30 * time.Millisecond, 0, 0, 30 * time.Millisecond} {
		time.AfterFunc(after, func() { _, _ = unix.Write(pipe[1], []byte{1}) })
		if n, err := p.Wait(keys[:], true); n != 1 || err != nil || keys[0] != 7 {
			t.Fatalf("after %v: %d events, key %d, %v", after, n, keys[0], err)
		}
		if n, err := unix.Read(pipe[0], make([]byte, 2)); n != 1 || err != nil {
			t.Fatalf("after %v: read %d, %v", after, n, err)
		}
		if n, err := p.Wait(keys[:], false); n != 0 || err != nil {
			t.Fatalf("nothing is there: %d events, %v", n, err)
		}
	}
	expected := false
	for range 100 { // a busy machine is late now and then
		_, _ = unix.Write(pipe[1], []byte{1})
		if _, err := p.Wait(keys[:], true); err != nil {
			t.Fatal(err)
		}
		_, _ = unix.Read(pipe[0], make([]byte, 2))
		expected = expected || p.expected.Left(time.Now()) > 0
	}
	if !expected {
		t.Error("nothing is expected after a hundred events")
	}
}
