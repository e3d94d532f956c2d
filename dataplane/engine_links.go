package dataplane

import (
	"errors"
	"fmt"
	"net"

	"pc5d/dataplane/tundev"
)

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
	if err := e.senderOf(l.key).poller.Add(device, l.key); err != nil {
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
		t.forget(k)
	}
	l.contexts = nil
	l.sending.Store(nil)
	e.table.Store(t)
	err := e.senderOf(l.key).poller.Remove(l.device)
	e.mu.Unlock()
	e.quiesce() // also without keys: the worker may be emptying the device
	e.end(ended)
	if l.failed.Load() || errors.Is(err, net.ErrClosed) {
		err = nil // no longer watched
	}
	return errors.Join(err, l.device.Close())
}

// end wipes contexts that are no longer published, when no worker uses them any more.
func (e *Engine) end(contexts []*keyContext) {
	if len(contexts) == 0 {
		return
	}
	e.quiesce()
	for _, k := range contexts {
		k.wipe()
	}
}
