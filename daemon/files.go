package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"pc5d/policy/provision"
)

const (
	learntDir = "links.d" // in the state directory
	// maxStateFile bounds what is read back (chosen).
	maxStateFile = 1 << 20
)

// files are the files of a state directory that decide whom the node trusts. Names are relative to
// it. A test has files that fail and crash to order.
type files interface {
	// Read reads a file that nobody else could have written; it may be fs.ErrNotExist.
	Read(name string) ([]byte, error)
	// Write replaces a file at once or not at all; when it returns nil it is on the disk.
	Write(name string, data []byte) error
	// Remove removes a file, on the disk too when it returns; one that is not there is no error.
	Remove(name string) error
}

// directory is the real files.
type directory string

// Read implements files. What others can change, or a link to somewhere else, is no file of ours.
func (d directory) Read(name string) ([]byte, error) {
	path := filepath.Join(string(d), name)
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s may be used by others (mode %04o): look at what is in it, and chmod 600 it", path, info.Mode().Perm())
	case !ok || s.Uid != 0 && int(s.Uid) != os.Geteuid():
		return nil, fmt.Errorf("%s belongs to somebody else: look at what is in it, and chown it to the daemon's user", path)
	case info.Size() > maxStateFile:
		return nil, fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return io.ReadAll(io.LimitReader(f, maxStateFile))
}

// Write implements files: a temporary file, fsync, rename, fsync of the directory (T72).
func (d directory) Write(name string, data []byte) error {
	path := filepath.Join(string(d), name)
	dir := filepath.Dir(path)
	if err := os.Mkdir(dir, 0o700); err == nil {
		if err := syncDirectory(filepath.Dir(dir)); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDirectory(dir)
}

// sweep removes what a crash left half written: there may be secrets in it, which nobody would wipe any
// more (T71). Call it with the directory locked.
func (d directory) sweep() error {
	for _, name := range []string{stateFile, invitesFile, firstUseFile, filepath.Join(learntDir, "*.toml")} {
		left, err := fs.Glob(os.DirFS(string(d)), filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".[0-9]*"))
		if err != nil {
			return err
		}
		for _, l := range left {
			if err := d.Remove(l); err != nil {
				return fmt.Errorf("half-written file of an earlier run: %w", err)
			}
		}
	}
	return nil
}

// Remove implements files.
func (d directory) Remove(name string) error {
	path := filepath.Join(string(d), name)
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// learntFile is where a learnt link stands.
func learntFile(link string) string { return filepath.Join(learntDir, link+".toml") }

// shadowed tells whether a learnt link is on the disk that the provisioning leaves out.
func (n *Node) shadowed(link string) bool {
	if n.keeper(link) != nil || filepath.Base(link) != link {
		return false
	}
	_, err := n.state.files.Read(learntFile(link))
	return !errors.Is(err, fs.ErrNotExist)
}

func errShadowed(link string) error {
	return fmt.Errorf("link %s was learnt before, and the provisioning leaves it out: pc5ctl unpair %s forgets it, or choose another name", link, link)
}

// Learnt reads the links that earlier runs have learnt, for provision.LoadWith, in the order of their
// names. What is wrong with one of them stops the start: without it its guard would go.
func Learnt(stateDir string) ([]provision.Source, error) {
	entries, err := os.ReadDir(filepath.Join(stateDir, learntDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("learnt links: %w", err)
	}
	var out []provision.Source
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".toml") || strings.HasPrefix(e.Name(), ".") {
			continue // what a crash left half written
		}
		name := filepath.Join(learntDir, e.Name())
		data, err := directory(stateDir).Read(name)
		if err != nil {
			return nil, fmt.Errorf("learnt links: %w", err)
		}
		out = append(out, provision.Source{Name: filepath.Join(stateDir, name), Data: data})
	}
	slices.SortFunc(out, func(a, b provision.Source) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
