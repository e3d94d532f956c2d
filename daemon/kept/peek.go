package kept

import "pc5d/daemon/keys"

// What a stranger's request is compared with before it proved anything: the copy goes into memory
// that the caller has, so that a request costs none (T30). An Entry to copy into has a key of 32
// octets, which are overwritten and stay the caller's to wipe.

// Peek copies the entry with an ID.
func (s *Store) Peek(id keys.KNRPID, into *Entry) bool {
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copyOutLocked(s.ids[id], into, now)
}

// PeekAt copies the n-th entry, by peer and service; false where there is none, or not any more.
func (s *Store) PeekAt(n int, into *Entry) bool {
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if n >= len(s.entries) {
		return false
	}
	return s.copyOutLocked(s.entries[n], into, now)
}

// Len is the number of entries.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries)
}
