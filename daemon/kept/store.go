package kept

import (
	"sync"
	"time"

	"pc5d/daemon/keys"
)

// Lifetimes where the Config names none.
const (
	defaultLife           = 24 * time.Hour
	defaultReauthenticate = 8 * time.Hour
)

// Config says where and how long keys are kept.
type Config struct {
	File   string      // "": memory only
	Secret keys.Secret // encrypts the file; the caller's, who may wipe it after Open; 16 octets or more
	Now    func() time.Time
	FS     FS            // nil: the real one
	Life   time.Duration // 0: 24 h
	// Reauthenticate is the time from one full authentication to the next. 0: 8 h.
	Reauthenticate time.Duration
	// Event tells what an operator should know: a file that is ignored, a write that failed, and with
	// a nil error the first one that worked again. It may call the Store. nil: nobody is told.
	Event func(text string, err error)
}

// Store keeps keys. Make one with Open.
type Store struct {
	cfg    Config
	limits lifetimes

	// disk is held for one write to the file at a time, mu never meanwhile: whoever only looks
	// something up waits for no disk. Lock order: disk, mu.
	disk    sync.Mutex
	sealer  sealer
	state   fileState
	written generation // that the file has
	safe    generation // nothing that was gone by then can come back from the disk
	adrift  bool       // a name in the directory changed and may change back in a crash

	mu      sync.Mutex
	closed  bool
	entries []*Entry // by peer and service
	ids     map[keys.KNRPID]*Entry
	seen    time.Time  // newest reading of the clock
	sweep   time.Time  // no entry is over before it
	now     generation // of the entries; each change makes the next
	gone    generation // in which something last went away
}

// generation counts changes of the entries. Two equal ones have the same entries.
type generation uint64

// Open makes a store, with the entries of the file where there is one. It never fails: what is
// wrong with a file is an event, and the store begins empty.
func Open(cfg Config) *Store {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.FS == nil {
		cfg.FS = system{}
	}
	s := &Store{cfg: cfg, ids: map[keys.KNRPID]*Entry{}, limits: lifetimes{cfg.Life, cfg.Reauthenticate}}
	if s.limits.life == 0 {
		s.limits.life = defaultLife
	}
	if s.limits.reauthenticate == 0 {
		s.limits.reauthenticate = defaultReauthenticate
	}
	now := s.clock()
	s.seen = now
	if cfg.File == "" {
		return s
	}
	if len(cfg.Secret.Bytes()) < minSecret {
		s.cfg.File = ""
		s.tell(event{textMemoryOnly, errWeakSecret})
		return s
	}
	s.sealer = newSealer(cfg.Secret)
	s.load(now)
	s.cfg.Secret = keys.Secret{}
	return s
}

// Put keeps a copy of an entry, and has written it when it returns. The older entry of the same
// peer and service ends in any case: whoever puts has a newer key with that peer. An entry whose ID
// stands already for another peer or service is not kept, and that other one stays (T14).
func (s *Store) Put(e Entry) {
	if err := e.check(); err != nil {
		s.tell(event{textNotKept, err})
		return
	}
	now := s.clock()
	s.mu.Lock()
	s.putLocked(e.clone(), now)
	s.mu.Unlock()
	s.save()
}

// ForPeer returns the key for a peer and service: the initiator's question.
func (s *Store) ForPeer(peer, service string) (Entry, bool) {
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.placeLocked(&Entry{Peer: peer, Service: service})
	if !ok {
		return Entry{}, false
	}
	return s.handOutLocked(s.entries[at], now)
}

// ByID returns the key with an ID: the responder's question. For an ID that it does not know it
// allocates nothing.
func (s *Store) ByID(id keys.KNRPID) (Entry, bool) {
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handOutLocked(s.ids[id], now)
}

// Each shows the entries, by peer and service, until visit returns false. The key of an entry is
// wiped when visit asks for the next one; that of the entry at which it stops is the caller's.
// Entries that come and go meanwhile may be shown or not.
func (s *Store) Each(visit func(Entry) bool) {
	now := s.clock()
	for at := (&Entry{}); ; {
		s.mu.Lock()
		at = s.nextLocked(at)
		if at == nil {
			s.mu.Unlock()
			return
		}
		e, ok := s.handOutLocked(at, now)
		s.mu.Unlock()
		if !ok {
			continue
		}
		if !visit(e) {
			return
		}
		e.Key.Wipe()
	}
}

// Take ends an entry: when it returns the key is wiped, and has left the file. Copies that were
// handed out before stay good for the attempt that has them. Of several callers one gets true,
// and none where the entry was over.
func (s *Store) Take(id keys.KNRPID) bool {
	now := s.clock()
	s.mu.Lock()
	e := s.ids[id]
	first := e != nil && s.usableLocked(e, now)
	if e != nil {
		s.dropLocked(e)
	}
	s.mu.Unlock()
	s.saveGone() // also where another call took it and is not done yet
	return first
}

// Rename gives an entry another ID (TS 24.554, 7.2.6: both ends draw a half when a link is released).
// An ID that stands already for another entry ends this one (T14).
func (s *Store) Rename(from, to keys.KNRPID) {
	s.mu.Lock()
	e := s.ids[from]
	switch {
	case s.closed || e == nil || from == to:
		s.mu.Unlock()
		return
	case s.ids[to] != nil:
		s.dropLocked(e)
	default:
		delete(s.ids, from)
		e.ID, s.ids[to] = to, e
		s.now++
	}
	s.mu.Unlock()
	s.save()
}

// Accept notes a request's timestamp, true where it is newer than all before under this key. Call it
// only after the binder was verified. It does not write: Open counts all that was before it as seen.
func (s *Store) Accept(id keys.KNRPID, timestamp uint64) bool {
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.ids[id]
	if e == nil || !s.usableLocked(e, now) || timestamp <= e.Newest {
		return false
	}
	e.Newest = timestamp
	s.now++
	return true
}

// Forget ends the entries of a peer, for all its services, or with "" all there are, and tells how
// many. A file that was ignored does not outlive it either.
func (s *Store) Forget(peer string) int {
	s.mu.Lock()
	n := s.removeLocked(func(e *Entry) bool { return peer == "" || e.Peer == peer })
	s.mu.Unlock()
	s.saveGone()
	return n
}

// Retain ends the entries that are not admitted any more; admits sees them without their keys.
// Whoever changes what is admitted does so first: an entry that is put meanwhile is not judged.
func (s *Store) Retain(admits func(Entry) bool) {
	refused := map[*Entry]bool{}
	for at := (&Entry{}); ; {
		s.mu.Lock()
		at = s.nextLocked(at)
		var e Entry
		if at != nil {
			e = at.withoutKey()
		}
		s.mu.Unlock()
		if at == nil {
			break
		}
		if !admits(e) {
			refused[at] = true
		}
	}
	s.mu.Lock()
	s.removeLocked(func(e *Entry) bool { return refused[e] })
	s.mu.Unlock()
	s.saveGone()
}

// Close writes what is not written yet and wipes the memory. Whatever is asked of the store
// afterwards finds nothing and changes nothing.
func (s *Store) Close() {
	s.disk.Lock()
	s.mu.Lock()
	s.closed = true
	if len(s.entries) > 0 {
		s.now++ // the file learns how late it is, in case the clock is set back
	}
	s.mu.Unlock()
	said := s.saveLocked()
	s.sealer.key.Wipe()
	s.mu.Lock()
	wipe(s.entries)
	s.entries = nil
	clear(s.ids)
	s.written, s.safe = s.now, s.now
	s.mu.Unlock()
	s.disk.Unlock()
	s.tell(said...)
}

// clock reads the wall clock; never under a lock.
func (s *Store) clock() time.Time { return wall(s.cfg.Now()) }
