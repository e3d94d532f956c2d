package kept

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"
)

// What events say.
const (
	textMemoryOnly = "keys are kept in memory only"
	textIgnored    = "the file of kept keys is ignored: peers authenticate in full"
	textNotKept    = "a key is not kept: its peer authenticates in full"
	textBehind     = "the file of kept keys lacks the newest: they are lost with this process"
	textAbsent     = "kept keys cannot be written, their file was removed: they are lost with this process"
	textStale      = "kept keys cannot be written, nor their file removed: remove it by hand, it has keys that were used or revoked"
	textWritten    = "kept keys are written again"
)

var errWeakSecret = fmt.Errorf("the secret for the file has less than %d octets", minSecret)

// event is what an operator is told.
type event struct {
	text string
	err  error
}

// tell gives out events; never under a lock.
func (s *Store) tell(events ...event) {
	for _, e := range events {
		if s.cfg.Event != nil {
			s.cfg.Event(e.text, e.err)
		}
	}
}

// fileState says how far the file can be trusted, from good to bad.
type fileState uint8

const (
	fileCurrent fileState = iota // has all entries, or there is none
	fileBehind                   // lacks some; those it has are good
	fileAbsent                   // was removed, because it had some that are gone
	fileStale                    // has some that are gone, and could not be removed
)

var stateTexts = [...]string{fileCurrent: textWritten, fileBehind: textBehind, fileAbsent: textAbsent, fileStale: textStale}

// load reads the file at start. What it does not take over counts as gone: the next write, Take,
// Forget or Retain ends the file as it is, so that nothing comes back later that this process could
// not end.
func (s *Store) load(now time.Time) {
	seen, entries, err := s.read()
	s.cfg.FS.Remove(s.temporary()) // of a write that was not finished; the next write says if it cannot
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		s.now, s.gone = 1, 1
		s.tell(event{textIgnored, err})
		return
	}
	if seen.After(s.seen) {
		s.seen = seen
	}
	s.entries = entries
	for _, e := range entries {
		s.ids[e.ID] = e
		e.Newest = max(e.Newest, uint64(max(now.UnixNano(), 0)))
	}
	s.removeLocked(func(e *Entry) bool { return s.limits.over(e, now) })
}

// read reads the file with the caller's secret.
func (s *Store) read() (time.Time, []*Entry, error) {
	b, err := s.octets()
	if err != nil {
		return time.Time{}, nil, err
	}
	body, err := unseal(s.cfg.Secret, b)
	if err == nil {
		defer clear(body)
		var seen time.Time
		var entries []*Entry
		if seen, entries, err = decode(body); err == nil {
			return seen, entries, nil
		}
	}
	return time.Time{}, nil, fmt.Errorf("%s %w", s.cfg.File, err)
}

// octets reads a file that is private and not too long.
func (s *Store) octets() ([]byte, error) {
	f, err := s.cfg.FS.Open(s.cfg.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	i, err := f.Info()
	switch {
	case err != nil:
		return nil, err
	case !i.Regular:
		return nil, fmt.Errorf("%s is no regular file", s.cfg.File)
	case !i.Own:
		return nil, fmt.Errorf("%s belongs to another user", s.cfg.File)
	case !i.Private:
		return nil, fmt.Errorf("%s is open to other users", s.cfg.File)
	case i.Size > int64(maxFileLength):
		return nil, fmt.Errorf("%s %w", s.cfg.File, errLong)
	}
	return io.ReadAll(io.LimitReader(f, int64(maxFileLength)+1))
}

// save returns when the file has the entries as they are, or when what can be done about a file
// that does not have them was done.
func (s *Store) save() {
	if s.cfg.File == "" {
		return
	}
	s.disk.Lock()
	said := s.saveLocked()
	s.disk.Unlock()
	s.tell(said...)
}

// saveGone is save where something went away that can come back from the disk. Otherwise nothing
// is written: nobody causes writes by naming what there is not.
func (s *Store) saveGone() {
	if s.cfg.File == "" {
		return
	}
	s.disk.Lock()
	var said []event
	s.mu.Lock()
	stale := s.gone > s.safe
	s.mu.Unlock()
	if stale {
		said = s.saveLocked()
	}
	s.disk.Unlock()
	s.tell(said...)
}

// saveLocked needs disk, and not mu.
func (s *Store) saveLocked() []event {
	s.mu.Lock()
	now, gone := s.now, s.gone
	if s.cfg.File == "" || now == s.written {
		s.mu.Unlock()
		return nil
	}
	body := encode(s.seen, s.entries)
	s.mu.Unlock()
	file := s.sealer.seal(body)
	clear(body)
	err := s.replace(file)
	switch {
	case err == nil:
		s.written, s.safe = now, now
		return s.become(fileCurrent, nil)
	case gone <= s.safe:
		return s.become(max(s.state, fileBehind), err)
	}
	if worse := s.end(); worse != nil {
		return s.become(fileStale, errors.Join(err, worse))
	}
	s.safe = now
	return s.become(fileAbsent, err)
}

// become changes the state of the file. A disk that stays bad is told once, not for each write.
func (s *Store) become(state fileState, err error) []event {
	if state == s.state {
		return nil
	}
	s.state = state
	return []event{{stateTexts[state], err}}
}

func (s *Store) temporary() string { return s.cfg.File + ".new" }

// replace puts a file in the place of the one there is, whole or not at all.
func (s *Store) replace(b []byte) error {
	temporary := s.temporary()
	if err := s.cfg.FS.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := s.write(temporary, b)
	if err == nil {
		s.adrift = true // also where Rename fails: who knows how far it came
		err = s.cfg.FS.Rename(temporary, s.cfg.File)
	}
	if err != nil {
		s.cfg.FS.Remove(temporary) // as good as it can be; it is never read
		return err
	}
	return s.settle()
}

// write makes a file that is on the disk when it returns, though its name may not be.
func (s *Store) write(path string, b []byte) error {
	f, err := s.cfg.FS.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// end makes the file have nothing, in one of two ways. Emptying it works where the directory cannot
// be written. It is enough only where no other file can come back under the name in a crash, as one
// can after a rename that did not reach the disk.
func (s *Store) end() error {
	settled := !s.adrift || s.settle() == nil
	emptied := existing(s.cfg.FS.Empty(s.cfg.File))
	removed := existing(s.cfg.FS.Remove(s.cfg.File))
	if removed == nil {
		s.adrift = true
		removed = s.settle()
	}
	if removed == nil || emptied == nil && settled {
		return nil
	}
	return errors.Join(emptied, removed)
}

// settle returns when the names in the directory are on the disk.
func (s *Store) settle() error {
	err := s.cfg.FS.SyncDirectory(filepath.Dir(s.cfg.File))
	if err == nil {
		s.adrift = false
	}
	return err
}

// existing takes the absence of a file for success.
func existing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
