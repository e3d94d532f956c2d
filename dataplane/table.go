package dataplane

import "maps"

// table is what the workers look up; never changed, only replaced.
type table struct {
	links    map[uint32]*Link
	contexts map[contextWord]*keyContext // one with two names is there twice
	sockets  map[Port]*socket
}

// copyLocked copies the table for a change.
func (e *Engine) copyLocked() *table {
	old := e.table.Load()
	t := &table{links: maps.Clone(old.links), contexts: maps.Clone(old.contexts), sockets: maps.Clone(old.sockets)}
	if t.links == nil {
		t.links = make(map[uint32]*Link)
	}
	if t.contexts == nil {
		t.contexts = make(map[contextWord]*keyContext)
	}
	return t
}

// forget takes a context out, under both its names.
func (t *table) forget(k *keyContext) {
	t.leave(k, k.name)
	t.leave(k, k.other)
}

// enter lets the workers find a context under a name of it.
func (t *table) enter(k *keyContext, name contextWord) {
	t.contexts[name] = k
	if k.bare() {
		t.contexts[name.bare()] = k
	}
}

// enterAll does so for contexts of a link, the oldest first. Nothing tells two of them apart where nothing
// protects them: the newest takes all.
func (t *table) enterAll(contexts []*keyContext) {
	for _, k := range contexts {
		t.enter(k, k.name)
		if k.other != 0 {
			t.enter(k, k.other)
		}
	}
}

// leave takes a name of a context out.
func (t *table) leave(k *keyContext, name contextWord) {
	delete(t.contexts, name)
	if t.contexts[name.bare()] == k {
		delete(t.contexts, name.bare())
	}
}
