package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// state is the state directory: which links were up, and where their peers were last
// authenticated, so that a restarted daemon brings them back. Losing it costs an operator's
// word, never security.
type state struct {
	dir   string
	lock  *os.File
	files files

	// disk is held for one write at a time, mu never meanwhile. Lock order: disk, mu.
	disk sync.Mutex

	mu      sync.Mutex // guards the fields below
	links   map[string]netip.AddrPort
	changes uint64 // of links
	written uint64 // those that the file has
}

const stateFile = "links.json"

// openState makes the directory where needed and locks it against a second daemon.
func openState(dir string) (*state, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state directory %s: %w; make it, or name another one with --state", dir, err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state directory %s: %w; name a writable one with --state", dir, err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("state directory %s is in use by another pc5d: stop it, or name another one with --state", dir)
	}
	if err := directory(dir).sweep(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("state directory %s: %w", dir, err)
	}
	s := &state{dir: dir, lock: lock, files: directory(dir), links: map[string]netip.AddrPort{}}
	b, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &s.links)
	}
	if err != nil { // torn or foreign: start without it
		s.links = map[string]netip.AddrPort{}
	}
	return s, nil
}

func (s *state) close() { s.lock.Close() }

// wanted returns the last authenticated endpoint of a link that was up.
func (s *state) wanted(link string) (netip.AddrPort, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	endpoint, ok := s.links[link]
	return endpoint, ok
}

// remember notes that a link is wanted up.
func (s *state) remember(link string, endpoint netip.AddrPort) error {
	s.mu.Lock()
	if s.links[link] == endpoint {
		s.mu.Unlock()
		return nil
	}
	s.links[link] = endpoint
	return s.writeUnlocking()
}

// forget notes that a link is wanted down.
func (s *state) forget(link string) error {
	s.mu.Lock()
	if _, ok := s.links[link]; !ok {
		s.mu.Unlock()
		return nil
	}
	delete(s.links, link)
	return s.writeUnlocking()
}

// writeUnlocking counts a change, gives mu back, and returns when the file has the change. Of those who wait for the
// disk the first one writes for all: many links come up at once.
func (s *state) writeUnlocking() error {
	s.changes++
	change := s.changes
	s.mu.Unlock()
	s.disk.Lock()
	defer s.disk.Unlock()
	s.mu.Lock()
	if s.written >= change {
		s.mu.Unlock()
		return nil
	}
	latest := s.changes
	b, err := json.MarshalIndent(s.links, "", "  ")
	s.mu.Unlock()
	if err == nil {
		err = s.files.Write(stateFile, b)
	}
	if err != nil {
		return fmt.Errorf("state directory %s: %w", s.dir, err)
	}
	s.mu.Lock()
	s.written = latest
	s.mu.Unlock()
	return nil
}

func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
