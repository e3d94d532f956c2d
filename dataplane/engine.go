package dataplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

// Config is what an Engine works with. It owns Conn and Poller.
type Config struct {
	Conn   udp.Conn
	Poller tundev.Poller
	// Signalling gets every datagram that has an underlay header and is not a user-plane
	// record. datagram is valid during the call only. It must not block and must not call
	// the Engine or a Link.
	Signalling func(from netip.AddrPort, datagram []byte)
	Log        *slog.Logger
}

// Engine moves the packets of all links.
type Engine struct {
	config   Config
	ready    chan struct{}
	drops    dropped // what belongs to no link
	table    atomic.Pointer[table]
	transmit *transmitter
	receive  *receiver

	mu      sync.Mutex // guards the fields below and every change of table
	nextKey uint32
}

// table is what the workers look up; never changed, only replaced.
type table struct {
	links    map[uint32]*Link
	contexts map[contextWord]*keyContext
}

// New makes an Engine. Links may be added before it runs.
func New(c Config) *Engine {
	e := &Engine{config: c, ready: make(chan struct{})}
	e.table.Store(&table{})
	e.transmit, e.receive = newTransmitter(e), newReceiver(e)
	return e
}

// Run moves packets until ctx ends, which is no error, or the socket or the poller fails; then
// it closes Conn and Poller and wipes all keys. It may be called once.
func (e *Engine) Run(ctx context.Context) error {
	ended := make(chan error, 2)
	go func() { ended <- e.transmit.run() }()
	go func() { ended <- e.receive.run() }()
	close(e.ready)
	var failed error
	waiting := 2
	select {
	case <-ctx.Done():
	case failed = <-ended:
		waiting--
	}
	_ = e.config.Poller.Close() // both only wake the workers; a second Close says so
	_ = e.config.Conn.Close()
	for range waiting {
		<-ended // closed, or one more word on the same failure
	}
	e.wipeAll()
	if failed != nil {
		return fmt.Errorf("dataplane: %w", failed)
	}
	return nil
}

// Turn moves what waits at one device, at most one batch: what Run does with a key that the
// poller gives. For a caller that drives the Engine itself, on one goroutine, instead of
// running it.
func (e *Engine) Turn(key uint32) {
	e.transmit.activity.begin()
	if l := e.table.Load().links[key]; l != nil {
		e.transmit.turn(l)
	}
	e.transmit.activity.end()
}

// Process takes what was received: what Run does with the messages of one Receive. For the same
// caller as Turn.
func (e *Engine) Process(messages []udp.Message) { e.receive.process(messages) }

// Ready is closed when Run moves packets.
func (e *Engine) Ready() <-chan struct{} { return e.ready }

// SendSignalling sends one datagram that is complete, underlay header included.
func (e *Engine) SendSignalling(to netip.AddrPort, datagram []byte) error {
	return e.config.Conn.Send(to, datagram, len(datagram))
}

// Drops counts what was dropped before a link was found.
func (e *Engine) Drops() Drops { return e.drops.snapshot() }

// AddLink adds a link without keys: its packets are dropped until a context is installed.
// From here on the Engine owns the device.
func (e *Engine) AddLink(name string, device tundev.Device) (*Link, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.table.Load().links {
		if l.name == name {
			return nil, fmt.Errorf("dataplane: link %s exists: remove it first", name)
		}
	}
	l := &Link{name: name, engine: e, device: device, key: e.nextKey}
	e.nextKey++
	t := e.copyLocked()
	t.links[l.key] = l
	e.table.Store(t)
	if err := e.config.Poller.Add(device, l.key); err != nil {
		t = e.copyLocked()
		delete(t.links, l.key)
		e.table.Store(t)
		return nil, fmt.Errorf("dataplane: link %s: %w", name, err)
	}
	return l, nil
}

// RemoveLink ends a link: keys are wiped and the device is closed.
func (e *Engine) RemoveLink(l *Link) error {
	e.mu.Lock()
	t := e.copyLocked()
	if t.links[l.key] != l {
		e.mu.Unlock()
		return fmt.Errorf("dataplane: link %s is not there", l.name)
	}
	delete(t.links, l.key)
	ended := l.contexts
	for _, k := range ended {
		delete(t.contexts, k.id)
	}
	l.contexts = nil
	l.sending.Store(nil)
	e.table.Store(t)
	err := e.config.Poller.Remove(l.device)
	e.mu.Unlock()
	e.end(ended)
	if l.failed.Load() || errors.Is(err, net.ErrClosed) {
		err = nil // no longer watched
	}
	return errors.Join(err, l.device.Close())
}

// copyLocked copies the table for a change.
func (e *Engine) copyLocked() *table {
	old := e.table.Load()
	t := &table{links: maps.Clone(old.links), contexts: maps.Clone(old.contexts)}
	if t.links == nil {
		t.links = make(map[uint32]*Link)
	}
	if t.contexts == nil {
		t.contexts = make(map[contextWord]*keyContext)
	}
	return t
}

// end wipes contexts that are no longer published, when no worker uses them any more.
func (e *Engine) end(contexts []*keyContext) {
	if len(contexts) == 0 {
		return
	}
	e.transmit.activity.wait()
	e.receive.activity.wait()
	for _, k := range contexts {
		k.wipe()
	}
}

func (e *Engine) wipeAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.copyLocked()
	for _, l := range t.links {
		l.sending.Store(nil)
		l.contexts = nil
	}
	ended := t.contexts
	t.contexts = nil
	e.table.Store(t)
	for _, k := range ended {
		k.wipe() // the workers have ended
	}
}
