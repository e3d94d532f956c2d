package dataplane

import (
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"

	"pc5d/dataplane/tundev"
)

// maxContexts is how many receive contexts a link has at most (chosen).
const maxContexts = 2

// Link is one interface and its key contexts.
type Link struct {
	name        string
	engine      *Engine
	device      tundev.Device
	key         uint32
	sending     atomic.Pointer[keyContext] // nil: the link is down
	failed      atomic.Bool                // the device is gone
	cuts        atomic.Bool                // the device takes no super-packets of TCP
	cutsUDP     atomic.Bool                // nor of UDP
	armed       atomic.Bool                // Config.Stirred is wanted
	pathWatched atomic.Bool                // Config.Elsewhere is wanted
	sendWatched atomic.Bool                // Config.Sending is wanted
	contexts    []*keyContext              // receiving, oldest first; guarded by Engine.mu
	nextAge     uint64                     // guarded by Engine.mu
	reached     uint64                     // age of the newest context that has sent; guarded by Engine.mu
	large       int                        // packets that wait in large slots; of the transmitting worker
	small       int                        // in small ones
	found       int                        // that its last turn found at the device
	queued      uint64                     // octets of packets that did not overtake; of the same worker
	sent        traffic
	received    traffic
	verified    atomic.Uint64 // records received whose tag verified
	drops       dropped
	excluded    atomic.Pointer[[]netip.Prefix] // inner sources that are not the peer's; nil: none
	told        pace                           // senders of packets that are too big
	answers     pace                           // to ECHO requests
	echoes      pace                           // ECHO answers
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
	ended, err := l.publish(k)
	if err != nil {
		k.wipe()
		return err
	}
	l.engine.end(ended)
	return nil
}

// publish lets the workers find a context, and gives those that had to make room for it.
func (l *Link) publish(k *keyContext) (ended []*keyContext, err error) {
	e := l.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	t, out := e.copyLocked(), k.send.outlet
	if t.links[l.key] != l {
		return nil, fmt.Errorf("dataplane: link %s was removed", l.name)
	}
	// The same IDs again would start the COUNT again: never two contexts of one name.
	if t.contexts[k.name] != nil {
		return nil, fmt.Errorf("dataplane: link %s: local context %s is installed: retire it first", l.name, out.id)
	}
	s, err := e.socketLocked(out.port)
	if err != nil {
		return nil, fmt.Errorf("dataplane: link %s: %w", l.name, err)
	}
	out.conn = s.receive.conn // not published yet
	contexts, ended := l.makeRoomLocked()
	for _, o := range ended {
		t.forget(o)
	}
	k.age = l.nextAge
	l.nextAge++
	l.contexts = append(contexts, k)
	t.enterAll(l.contexts)
	e.table.Store(t)
	return ended, nil
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
	k, err := l.findLocked(id)
	if err != nil {
		return err
	}
	if k.age < l.reached {
		return fmt.Errorf("dataplane: link %s: local context %s is older than one that has sent", l.name, id)
	}
	l.reached = k.age
	l.sending.Store(k)
	return nil
}

// SetEndpoint changes where a context sends to. What the way there takes nobody knows: records have the
// base length until SetPath.
func (l *Link) SetEndpoint(id ContextID, to netip.AddrPort) error {
	return l.redirect(id, func(o *outlet) { o.to, o.path = to, unknownPath })
}

// redirect changes how the records of a context leave, under the same name and from the next batch on.
func (l *Link) redirect(id ContextID, change func(*outlet)) error {
	e := l.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	k, err := l.findLocked(id)
	if err != nil {
		return err
	}
	now := k.send.way()
	next := newOutlet(now.id, now.port, now.conn, now.to, now.path) // which is told anew what is too long
	change(next)
	k.send.move(next, 0)
	return nil
}

// findLocked finds a context by either of its names.
func (l *Link) findLocked(id ContextID) (*keyContext, error) {
	i := slices.IndexFunc(l.contexts, func(k *keyContext) bool { return k.is(id) })
	if i < 0 {
		return nil, fmt.Errorf("dataplane: link %s: local context %s is not installed", l.name, id)
	}
	return l.contexts[i], nil
}

// Retire ends a context, by either of its names, and wipes it. When it is the sending one the link
// is down: the older context never sends again. An unknown context is nothing to do.
func (l *Link) Retire(id ContextID) {
	if k := l.withdraw(id); k != nil {
		l.engine.end([]*keyContext{k})
	}
}

func (l *Link) withdraw(id ContextID) *keyContext {
	e := l.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	k, err := l.findLocked(id)
	if err != nil {
		return nil
	}
	t := e.copyLocked()
	t.forget(k)
	l.contexts = slices.DeleteFunc(slices.Clone(l.contexts), func(o *keyContext) bool { return o == k })
	t.enterAll(l.contexts)
	e.table.Store(t)
	l.sending.CompareAndSwap(k, nil)
	return k
}
