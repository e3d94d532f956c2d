package dataplane

import (
	"fmt"
	"slices"
	"sync/atomic"

	"pc5d/dataplane/tundev"
)

// maxContexts is how many receive contexts a link has at most (chosen).
const maxContexts = 2

// Link is one interface and its key contexts.
type Link struct {
	name     string
	engine   *Engine
	device   tundev.Device
	key      uint32
	sending  atomic.Pointer[keyContext] // nil: the link is down
	failed   atomic.Bool                // the device is gone
	contexts []*keyContext              // receiving, oldest first; guarded by Engine.mu
	sent     traffic
	received traffic
	drops    dropped
}

// Name is the name of the link.
func (l *Link) Name() string { return l.name }

// Up reports whether the link has a sending context.
func (l *Link) Up() bool { return l.sending.Load() != nil }

// Counters are the counters of the link.
func (l *Link) Counters() Counters {
	return Counters{Sent: l.sent.snapshot(), Received: l.received.snapshot(), Drops: l.drops.snapshot()}
}

// Install adds a key context, which is the sending one at once. A third receive context ends
// the oldest. It fails, and changes nothing, where the context can not be used.
func (l *Link) Install(c Context) error {
	k, err := newKeyContext(l, c)
	if err != nil {
		return err
	}
	return l.install(k)
}

func (l *Link) install(k *keyContext) error {
	e := l.engine
	e.mu.Lock()
	t := e.copyLocked()
	if t.links[l.key] != l {
		e.mu.Unlock()
		k.wipe()
		return fmt.Errorf("dataplane: link %s was removed", l.name)
	}
	// The same IDs again would start the COUNT again: never two contexts of one name.
	if t.contexts[k.id] != nil {
		e.mu.Unlock()
		k.wipe()
		return fmt.Errorf("dataplane: link %s: local session %04x is installed: retire it first", l.name, k.session)
	}
	var ended []*keyContext
	if len(l.contexts) == maxContexts {
		ended = l.contexts[:1]
		delete(t.contexts, ended[0].id)
	}
	l.contexts = append(slices.Clone(l.contexts[len(ended):]), k)
	t.contexts[k.id] = k
	e.table.Store(t)
	l.sending.Store(k)
	e.mu.Unlock()
	if len(ended) > 0 {
		e.end(ended)
	}
	return nil
}

// Retire ends the context of a session and wipes it. When it is the sending one the link is
// down: the older context never sends again. An unknown session is nothing to do.
func (l *Link) Retire(session uint16) {
	e := l.engine
	e.mu.Lock()
	i := slices.IndexFunc(l.contexts, func(k *keyContext) bool { return k.session == session })
	if i < 0 {
		e.mu.Unlock()
		return
	}
	k := l.contexts[i]
	t := e.copyLocked()
	delete(t.contexts, k.id)
	l.contexts = slices.Delete(slices.Clone(l.contexts), i, i+1)
	e.table.Store(t)
	l.sending.CompareAndSwap(k, nil)
	e.mu.Unlock()
	e.end([]*keyContext{k})
}
