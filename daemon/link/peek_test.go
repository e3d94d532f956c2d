package link_test

import (
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
)

func (s *keptKeys) Peek(id keys.KNRPID, into *link.KeptKey) bool {
	for i := range s.entries {
		if !s.entries[i].PreShared && s.entries[i].ID == id {
			return s.PeekAt(i, into)
		}
	}
	return false
}

func (s *keptKeys) PeekAt(n int, into *link.KeptKey) bool {
	key := into.Key
	copy(key.Bytes(), s.entries[n].Key.Bytes())
	*into = s.entries[n]
	into.Key = key
	return true
}

func (s *keptKeys) Len() int { return len(s.entries) }
