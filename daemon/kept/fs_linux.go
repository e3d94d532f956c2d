package kept

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// system is the real FS.
type system struct{}

type systemFile struct{ *os.File }

const careful = syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_CLOEXEC

// open says of a symbolic link that it is one, which Linux calls too many levels of them.
func open(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, flags|careful, 0o600)
	if errors.Is(err, syscall.ELOOP) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("is a symbolic link")}
	}
	return f, err
}

func (system) Open(path string) (File, error) {
	f, err := open(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return systemFile{f}, nil
}

func (system) Create(path string) (File, error) {
	f, err := open(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	return systemFile{f}, nil
}

func (system) Empty(path string) error {
	f, err := open(path, os.O_WRONLY)
	if err != nil {
		return err
	}
	err = f.Truncate(0)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (system) Rename(from, to string) error { return os.Rename(from, to) }

func (system) Remove(path string) error { return os.Remove(path) }

func (system) SyncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f systemFile) Info() (Info, error) {
	i, err := f.Stat()
	if err != nil {
		return Info{}, err
	}
	s, ok := i.Sys().(*syscall.Stat_t)
	own := ok && (s.Uid == 0 || int(s.Uid) == os.Geteuid())
	return Info{Regular: i.Mode().IsRegular(), Private: i.Mode().Perm()&0o077 == 0, Own: own, Size: i.Size()}, nil
}
