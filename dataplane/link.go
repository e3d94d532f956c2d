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

// Install adds a key context for receiving. A third one ends the oldest that does not send. It
// fails, and changes nothing, where the context can not be used.
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
	contexts, ended := l.makeRoomLocked()
	for _, o := range ended {
		delete(t.contexts, o.id)
	}
	l.contexts = append(contexts, k)
	t.contexts[k.id] = k
	e.table.Store(t)
	e.mu.Unlock()
	e.end(ended)
	return nil
}

// makeRoomLocked takes a context out where there are too many for one more: the oldest, but not
// the one that sends.
func (l *Link) makeRoomLocked() (stay, ended []*keyContext) {
	stay = slices.Clone(l.contexts)
	for i, k := range stay {
		if len(stay) >= maxContexts && k != l.sending.Load() {
			return slices.Delete(stay, i, i+1), []*keyContext{k}
		}
	}
	return stay, nil
}

// Activate makes an installed context the sending one. Sending never goes back to an older one
// (T54).
func (l *Link) Activate(id ContextID) error {
	e := l.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	next := l.indexLocked(id)
	if next < 0 {
		return fmt.Errorf("dataplane: link %s: local context %s is not installed", l.name, id)
	}
	if current := slices.Index(l.contexts, l.sending.Load()); next < current {
		return fmt.Errorf("dataplane: link %s: local context %s is older than the one that sends", l.name, id)
	}
	l.sending.Store(l.contexts[next])
	return nil
}

func (l *Link) indexLocked(id ContextID) int {
	return slices.IndexFunc(l.contexts, func(k *keyContext) bool { return k.id == id.word() })
}

// Retire ends a context and wipes it. When it is the sending one the link is down: the older
// context never sends again. An unknown context is nothing to do.
func (l *Link) Retire(id ContextID) {
	e := l.engine
	e.mu.Lock()
	i := l.indexLocked(id)
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
