package dataplane

import (
	"fmt"
	"net/netip"
)

// Readdress is what changes together with the name of a context. An observer who sees the same
// endpoints, or the next COUNT, under the new identifiers knows that they are the old link.
type Readdress struct {
	Skip     uint64         // how far the COUNT of what we send moves forward
	Port     Port           // through which it sends from now on
	Endpoint netip.AddrPort // where to; the zero value leaves it
}

// Alias gives a context a second name: from now on records under either open with it, under the
// same keys and the same window. It fails, and changes nothing, where id is not installed or has
// a second name, or where any context has the name alias.
//
// TS 24.554, 7.2.4.
func (l *Link) Alias(id, alias ContextID) error {
	if err := l.admit(alias); err != nil {
		return err
	}
	e := l.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	k, err := l.findLocked(id)
	if err != nil {
		return err
	}
	if k.other != 0 {
		return fmt.Errorf("dataplane: link %s: local context %s has two names: end the old one first", l.name, id)
	}
	t := e.copyLocked()
	if t.contexts[alias.word()] != nil {
		return fmt.Errorf("dataplane: link %s: local name %s is another context's", l.name, alias)
	}
	k.other = alias.word()
	t.enterAll(l.contexts)
	e.table.Store(t)
	return nil
}

// Move makes alias, which Alias gave to the context id, the name that the context has and sends
// under. The old name opens until Unalias. When Move returns nothing leaves any more under the old
// name or through the old port. A skip past the limit leaves no COUNT: the key is exhausted.
//
// TS 24.554, 7.2.4.
func (l *Link) Move(id, alias ContextID, r Readdress) error {
	if err := l.move(id, alias, r); err != nil {
		return err
	}
	l.engine.quiesce() // receivers, too: they answer ECHO requests
	return nil
}

func (l *Link) move(id, alias ContextID, r Readdress) error {
	e := l.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	k, err := l.findLocked(id)
	if err != nil {
		return err
	}
	if k.name != id.word() || k.other != alias.word() {
		return fmt.Errorf("dataplane: link %s: local context %s has no second name %s", l.name, id, alias)
	}
	s, err := e.socketLocked(r.Port)
	if err != nil {
		return fmt.Errorf("dataplane: link %s: %w", l.name, err)
	}
	out := k.send.way()
	to, path := r.Endpoint, out.path
	switch {
	case !to.IsValid():
		to = out.to
	case to.Addr() != out.to.Addr():
		path = unknownPath
	}
	k.name, k.other = k.other, k.name
	k.send.move(newOutlet(alias, r.Port, s.receive.conn, to, path), r.Skip)
	return nil
}

// Unalias ends the second name of a context: the old one after Move, the new one before it. The
// name that a context sends under stays, and an unknown one is nothing to do.
func (l *Link) Unalias(old ContextID) {
	e := l.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	k, err := l.findLocked(old)
	if err != nil || k.other != old.word() {
		return
	}
	t := e.copyLocked()
	t.leave(k, k.other)
	k.other = 0
	t.enterAll(l.contexts)
	e.table.Store(t)
}
