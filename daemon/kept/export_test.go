package kept

import (
	"bytes"
	"time"

	"pc5d/daemon/keys"
)

const (
	MaxEntries    = maxEntries
	MaxFileLength = maxFileLength
)

// Seal makes a file of a body as version v.
func Seal(secret keys.Secret, v byte, body []byte) []byte {
	file := newSealer(secret).seal(body)
	file[len(magic)] = v
	return file
}

// Unseal returns the body of a file.
func Unseal(secret keys.Secret, file []byte) ([]byte, error) { return unseal(secret, file) }

// Encode makes a body of entries in the given order.
func Encode(seen time.Time, entries ...Entry) []byte {
	var list []*Entry
	for _, e := range entries {
		list = append(list, e.clone())
	}
	return encode(seen, list)
}

// Decode reads a body, and tells whether it is what Encode makes of the result.
func Decode(body []byte) (entries []Entry, same bool, err error) {
	seen, list, err := decode(body)
	for _, e := range list {
		entries = append(entries, *e)
	}
	return entries, err == nil && bytes.Equal(encode(seen, list), body), err
}

// Octets returns the octets of the key that the store itself has.
func (s *Store) Octets(id keys.KNRPID) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ids[id].Key.Bytes()
}

// FileKey returns the octets of the key of the file.
func (s *Store) FileKey() []byte { return s.sealer.key.Bytes() }
