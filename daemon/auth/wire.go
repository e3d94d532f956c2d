package auth

import (
	"io"
	"net"
	"time"
)

// wire is the in-memory connection of one handshake. The helper goroutine runs only inside turn:
// it is resumed there, and turn returns when it waits for more octets or has ended.
type wire struct {
	in, out []byte
	closed  bool
	resume  chan struct{}
	parked  chan struct{}
}

func newWire() *wire { return &wire{resume: make(chan struct{}), parked: make(chan struct{})} }

// turn hands in a flight and returns what was written meanwhile. The flight is read to its end, so
// nothing of it is kept: whoever is half open has to be small.
func (w *wire) turn(flight []byte) []byte {
	w.in = flight
	w.resume <- struct{}{}
	<-w.parked
	out := w.out
	w.in, w.out = nil, nil
	return out
}

// close ends the helper goroutine.
func (w *wire) close() {
	w.closed = true
	w.turn(nil)
}

// Read parks the helper goroutine until there is something to read.
func (w *wire) Read(b []byte) (int, error) {
	for len(w.in) == 0 {
		if w.closed {
			return 0, io.EOF
		}
		w.parked <- struct{}{}
		<-w.resume
	}
	n := copy(b, w.in)
	if w.in = w.in[n:]; len(w.in) == 0 {
		w.in = nil // a half-open responder keeps no flight that was read (C8)
	}
	return n, nil
}

func (w *wire) Write(b []byte) (int, error) {
	if w.closed {
		return 0, io.ErrClosedPipe
	}
	w.out = append(w.out, b...)
	return len(b), nil
}

func (w *wire) Close() error                     { return nil }
func (w *wire) LocalAddr() net.Addr              { return nil }
func (w *wire) RemoteAddr() net.Addr             { return nil }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
