package dataplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"pc5d/dataplane/record"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

// Config is what an Engine works with. It owns Conn, Poller and Lanes.
//
// The functions are called on a worker after its batch. They must not block and must not call the
// Engine or a Link; every worker may call them, also at the same time. Those that are nil are not
// called.
type Config struct {
	Conn   udp.Conn
	Poller tundev.Poller
	Lanes  []Lane // beside these two
	// WithoutRing leaves tundev.Ring unused although the kernel may have it, to test what stands in.
	WithoutRing bool
	// Signalling gets every datagram that has an underlay header and is no user data; from a lane that
	// is not the first, too, where the kernel put it behind user data. datagram is valid during the call only.
	Signalling func(port Port, from netip.AddrPort, datagram []byte)
	// Stray tells of a record that no context has, at most of one in a batch.
	Stray func(port Port, from netip.AddrPort, h underlay.Header)
	// Stirred tells that a link that was armed (Link.Arm) has sent a record: once for each Arm.
	Stirred func(link string)
	// Sending tells the same of a link that was watched (Link.Watch): the two have different askers.
	Sending func(link string)
	// Exhausting tells that a key of a context is at a soft limit: once for each context, under
	// the name that it sends under. It may be a context that only receives by now, or one that
	// was retired meanwhile.
	Exhausting func(link string, id ContextID)
	// Elsewhere tells that a link that was watched (Link.WatchPath) got so many octets of authentic
	// records, ahead of all before, from another address than where it sends to: once for each WatchPath.
	Elsewhere func(link string, id ContextID, from netip.AddrPort, octets int)
	// TooLong tells that the socket found records of the context that sends too long for the path:
	// once for each SetPath.
	TooLong func(link string)
	// Echoed tells of an answer to an ECHO request (Link.SendEcho), also of one that nobody asked for.
	Echoed func(link string, token record.Token)
	// Now is asked for PDUs of the standard form that are refused, for ECHO and FRAGMENT frames, for
	// packets that are too big, and after each turn of a sending worker; nil: time.Now.
	Now func() time.Time
	Log *slog.Logger
}

// Engine moves the packets of all links.
type Engine struct {
	config    Config
	ready     chan struct{}
	drops     dropped // what belongs to no link
	table     atomic.Pointer[table]
	senders   []*transmitter // one a lane
	receivers []*receiver    // of the lanes but the first
	workers   sync.WaitGroup
	failed    chan error // capacity 1: the first failure of a worker ends Run

	mu       sync.Mutex // guards the fields below and every change of table
	state    state
	nextKey  uint32
	lastPort Port
}

// state is how far the life of an Engine is.
type state uint8

const (
	stateIdle    state = iota
	stateRunning       // each socket has a worker
	stateEnded         // nothing starts any more
)

// New makes an Engine. Links may be added before it runs.
func New(c Config) *Engine {
	if c.Now == nil {
		c.Now = time.Now
	}
	e := &Engine{config: c, ready: make(chan struct{}), failed: make(chan error, 1)}
	e.newLanes()
	e.table.Store(&table{sockets: map[Port]*socket{{}: newSocket(e, Port{}, c.Conn)}})
	return e
}

// Run moves packets until ctx ends, which is no error, or a socket or the poller fails; then
// it closes the poller and every socket and wipes all keys. It may be called once.
func (e *Engine) Run(ctx context.Context) error {
	e.start()
	close(e.ready)
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-e.failed:
	}
	e.stop()
	e.workers.Wait()
	e.wipeAll()
	if failed != nil {
		return fmt.Errorf("dataplane: %w", failed)
	}
	return nil
}

func (e *Engine) start() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state = stateRunning
	e.startLanes()
	for _, s := range e.table.Load().sockets {
		e.startLocked(s)
	}
}

// stop wakes the workers; none of them is waited for.
func (e *Engine) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state = stateEnded
	e.stopLanes()
	for _, s := range e.table.Load().sockets {
		_ = s.receive.conn.Close()
	}
}

// fail ends Run.
func (e *Engine) fail(err error) {
	select {
	case e.failed <- err:
	default: // it ends already
	}
}

// Turn moves what waits at one device, at most one batch: what Run does with a key that the
// poller gives. For a caller that drives the Engine itself, on one goroutine, instead of
// running it.
func (e *Engine) Turn(key uint32) {
	t := e.senderOf(key)
	t.activity.begin()
	if l := e.table.Load().links[key]; l != nil {
		t.turn(l)
	}
	t.activity.end()
	t.notices.tell(&e.config)
}

// Process takes what was received at a port: what Run does with the messages of one Receive.
// For the same caller as Turn.
func (e *Engine) Process(p Port, messages []udp.Message) {
	if s := e.table.Load().sockets[p]; s != nil {
		s.receive.process(messages)
	}
}

// Ready is closed when Run moves packets.
func (e *Engine) Ready() <-chan struct{} { return e.ready }

// SendSignalling sends one datagram that is complete, underlay header included, through a port.
func (e *Engine) SendSignalling(p Port, to netip.AddrPort, datagram []byte) error {
	s := e.table.Load().sockets[p]
	if s == nil {
		return fmt.Errorf("dataplane: send signalling: local %s is not there", p)
	}
	return s.receive.conn.Send(to, datagram, len(datagram), 0)
}

var errNoFirstPort = errors.New("dataplane: answer: the first port is not there")

// Answer sends one datagram, underlay header included, to a stranger who knocked at the first port. It
// never waits: udp.ErrBusy says that more than a share of the socket's buffer is in use.
func (e *Engine) Answer(to netip.AddrPort, datagram []byte, most udp.Share) error {
	s := e.table.Load().sockets[Port{}]
	if s == nil {
		return errNoFirstPort
	}
	return s.receive.conn.Answer(to, datagram, most)
}

// Drops counts what was dropped before a link was found.
func (e *Engine) Drops() Drops { return e.drops.snapshot() }

func (e *Engine) wipeAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.copyLocked()
	t.contexts = nil
	e.table.Store(t)
	for _, l := range t.links {
		l.sending.Store(nil)
		for _, k := range l.contexts {
			k.wipe() // the workers have ended
		}
		l.contexts = nil
	}
}
