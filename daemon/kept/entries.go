package kept

import (
	"slices"
	"time"
)

// What is done to the entries while mu is held.

// putLocked takes an entry over: it is kept, or wiped.
func (s *Store) putLocked(e *Entry, now time.Time) {
	if s.closed {
		e.Key.Wipe()
		return
	}
	if s.setBackLocked(now) { // ages of what there is mean nothing any more
		s.removeLocked(func(*Entry) bool { return true })
		s.seen = now
	}
	s.sweepLocked(now)
	if at, ok := s.placeLocked(e); ok {
		s.dropLocked(s.entries[at])
	}
	if s.ids[e.ID] != nil || s.limits.over(e, now) {
		e.Key.Wipe()
		return
	}
	if len(s.entries) >= maxEntries {
		oldest := slices.MinFunc(s.entries, func(a, b *Entry) int { return a.Made.Compare(b.Made) })
		s.dropLocked(oldest)
	}
	at, _ := s.placeLocked(e)
	s.entries = slices.Insert(s.entries, at, e)
	s.ids[e.ID] = e
	s.noteEndLocked(e)
	s.now++
}

// sweepLocked ends what is over. Until the first entry can be over there is nothing to look for: a
// node with thousands of peers puts a key with each link.
func (s *Store) sweepLocked(now time.Time) {
	if now.Before(s.sweep) {
		return
	}
	s.removeLocked(func(e *Entry) bool { return s.limits.over(e, now) })
	s.sweep = now.Add(s.limits.life) // or sooner, as the entries say that there are and that come
	for _, e := range s.entries {
		s.noteEndLocked(e)
	}
}

// noteEndLocked keeps the time of the next sweep from being later than an entry's end.
func (s *Store) noteEndLocked(e *Entry) {
	if end := s.limits.end(e); end.Before(s.sweep) {
		s.sweep = end
	}
}

// placeLocked finds where the entry of a peer and a service is, or would be.
func (s *Store) placeLocked(e *Entry) (int, bool) {
	return slices.BinarySearchFunc(s.entries, e, (*Entry).compare)
}

// setBackLocked tells whether the clock shows less than it did, by more than what corrects itself.
// No age is known then: nothing is used until the clock has caught up, or something new is put.
func (s *Store) setBackLocked(now time.Time) bool {
	if now.After(s.seen) {
		s.seen = now
	}
	return now.Before(s.seen.Add(-tolerance))
}

func (s *Store) usableLocked(e *Entry, now time.Time) bool {
	return !s.setBackLocked(now) && !early(e, now) && !s.limits.over(e, now)
}

// handOutLocked copies an entry for its reader. One that is over ends here.
func (s *Store) handOutLocked(e *Entry, now time.Time) (Entry, bool) {
	switch {
	case e == nil:
		return Entry{}, false
	case s.limits.over(e, now):
		s.dropLocked(e)
		return Entry{}, false
	case !s.usableLocked(e, now):
		return Entry{}, false
	}
	return *e.clone(), true
}

// copyOutLocked copies an entry that may be used. One that is over stays until somebody takes it.
func (s *Store) copyOutLocked(e *Entry, into *Entry, now time.Time) bool {
	if e == nil || !s.usableLocked(e, now) || len(into.Key.Bytes()) != len(e.Key.Bytes()) {
		return false
	}
	key := into.Key
	copy(key.Bytes(), e.Key.Bytes())
	*into = *e
	into.Key = key
	return true
}

// nextLocked returns the entry behind another, which may be gone.
func (s *Store) nextLocked(e *Entry) *Entry {
	at, ok := s.placeLocked(e)
	if ok {
		at++
	}
	if at == len(s.entries) {
		return nil
	}
	return s.entries[at]
}

// dropLocked wipes one entry, if it is there still.
func (s *Store) dropLocked(e *Entry) {
	at, ok := s.placeLocked(e)
	if s.closed || !ok || s.entries[at] != e {
		return
	}
	s.entries = slices.Delete(s.entries, at, at+1)
	delete(s.ids, e.ID)
	e.Key.Wipe()
	s.now++
	s.gone = s.now
}

// removeLocked wipes entries and counts them.
func (s *Store) removeLocked(which func(*Entry) bool) int {
	if s.closed {
		return 0
	}
	n := len(s.entries)
	s.entries = slices.DeleteFunc(s.entries, func(e *Entry) bool {
		if !which(e) {
			return false
		}
		delete(s.ids, e.ID)
		e.Key.Wipe()
		return true
	})
	if n -= len(s.entries); n > 0 {
		s.now++
		s.gone = s.now
	}
	return n
}
