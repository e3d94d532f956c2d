package dataplane

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"

	"pc5d/dataplane/udp"
)

// Port is a socket of an Engine. The zero value is Config.Conn.
type Port struct{ number uint32 }

func (p Port) String() string { return fmt.Sprintf("port %d", p.number) }

// socket is a Port with its receiving worker.
type socket struct {
	receive *receiver
	started bool        // guarded by Engine.mu; never changes once leaving
	leaving atomic.Bool // its end is no failure; changes under Engine.mu
	ended   chan struct{}
}

func newSocket(e *Engine, port Port, conn udp.Conn) *socket {
	return &socket{receive: newReceiver(e, port, conn), ended: make(chan struct{})}
}

// AddPort adds a socket, from here on the Engine's own: it receives from now on, or from Run on.
// Contexts that name the Port send through it.
func (e *Engine) AddPort(conn udp.Conn) (Port, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state == stateEnded {
		return Port{}, errors.New("dataplane: the engine has ended: it takes no more ports")
	}
	e.lastPort.number++
	s := newSocket(e, e.lastPort, conn)
	t := e.copyLocked()
	t.sockets[e.lastPort] = s
	e.table.Store(t)
	if e.state == stateRunning {
		e.startLocked(s)
	}
	return e.lastPort, nil
}

// RemovePort closes an added socket when its worker has left it. It fails, and changes nothing,
// where a context may still send through it.
func (e *Engine) RemovePort(p Port) error {
	s, err := e.leave(p)
	if err != nil {
		return err
	}
	err = s.receive.conn.Close()
	if s.started {
		<-s.ended
	}
	// Only now: whoever wipes a key waits for every worker in the table.
	e.mu.Lock()
	t := e.copyLocked()
	delete(t.sockets, p)
	e.table.Store(t)
	e.mu.Unlock()
	if errors.Is(err, net.ErrClosed) {
		err = nil // Run has ended
	}
	return err
}

// leave takes a port out of use.
func (e *Engine) leave(p Port) (*socket, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p == (Port{}) {
		return nil, errors.New("dataplane: the first port stays as long as the engine")
	}
	s, err := e.socketLocked(p)
	if err != nil {
		return nil, err
	}
	for _, l := range e.table.Load().links {
		for _, k := range l.contexts {
			if k.age >= l.reached && k.send.way().port == p {
				return nil, fmt.Errorf("dataplane: link %s sends through local %s: move its context first", l.name, p)
			}
		}
	}
	s.leaving.Store(true)
	return s, nil
}

func (e *Engine) socketLocked(p Port) (*socket, error) {
	s := e.table.Load().sockets[p]
	if s == nil || s.leaving.Load() {
		return nil, fmt.Errorf("dataplane: local %s is not there", p)
	}
	return s, nil
}

// startLocked starts the receiving worker of a socket.
func (e *Engine) startLocked(s *socket) {
	if s.leaving.Load() {
		return
	}
	s.started = true
	e.workers.Go(func() {
		defer close(s.ended)
		if err := s.receive.work(); !s.leaving.Load() {
			e.fail(err)
		}
	})
}
