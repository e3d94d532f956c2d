package sim

import (
	"path/filepath"

	"pc5d/daemon/kept"
	"pc5d/daemon/keys"
)

// openKept opens the cache of resumption keys, as the daemon's main does.
func (h *Host) openKept() *kept.Store {
	c := kept.Config{Now: h.wall}
	if h.KeyFile {
		c.File, c.Secret = h.keyFile(), h.keyFileSecret()
	}
	return kept.Open(c)
}

func (h *Host) keyFile() string { return filepath.Join(h.stateDir(), "kept") }

// keyFileSecret follows from the long-term key alone: whoever has that can read the file.
func (h *Host) keyFileSecret() keys.Secret {
	secret, err := h.identity.Secret("kept keys")
	if err != nil {
		panic("BUG: sim: " + err.Error())
	}
	return secret
}

// Steal returns copies of all keys of psk-dhe that a host has: in the memory of its daemon, in its
// provisioning, and in its file of kept keys, which its long-term key opens.
func (h *Host) Steal() (memory, provisioned, file []keys.Secret) {
	if h.process != nil {
		memory = keysOf(h.process.store)
	}
	for _, e := range h.Ends {
		if e.link.PreShared {
			provisioned = append(provisioned, e.preShared())
		}
	}
	if h.KeyFile {
		thief := kept.Open(kept.Config{File: h.keyFile(), Secret: h.keyFileSecret(), Now: h.wall})
		file = keysOf(thief)
	}
	return memory, provisioned, file
}

// keysOf copies the keys of a cache.
func keysOf(s *kept.Store) (found []keys.Secret) {
	s.Each(func(e kept.Entry) bool {
		found = append(found, keys.NewSecret(append([]byte(nil), e.Key.Bytes()...)))
		return true
	})
	return found
}
