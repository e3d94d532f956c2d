package auth

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	// credentialPrefix names a credential that the service manager gave (systemd's LoadCredential=).
	credentialPrefix    = "credential:"
	credentialDirectory = "CREDENTIALS_DIRECTORY"

	maxKeyFile = 16 << 10
)

// readSecret reads a file with a key, and refuses one that others could have read (T70). make says how
// one comes to such a file. The caller clears what it gets; no other copy is left behind.
func readSecret(what, path, hint string, check fileCheck) ([]byte, error) {
	name, given, err := locate(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s %s does not exist: %s", what, path, hint)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer f.Close()
	if !given {
		info, err := f.Stat()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		if err := check(info, what, path); err != nil {
			return nil, err
		}
	}
	b := make([]byte, maxKeyFile)
	n, err := io.ReadFull(f, b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return b[:n], nil
	}
	clear(b)
	switch {
	case err == nil:
		return nil, fmt.Errorf("%s %s has more than %d octets, which no key has: %s", what, path, maxKeyFile, hint)
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s %s is empty: %s", what, path, hint)
	}
	return nil, fmt.Errorf("%s %s: %w", what, path, err)
}

// locate finds the file of a path, and tells whether the service manager keeps it: then it is in a
// directory for this service alone, and access lists stand in its mode.
func locate(path string) (name string, given bool, err error) {
	credential, given := strings.CutPrefix(path, credentialPrefix)
	if !given {
		return path, false, nil
	}
	dir := os.Getenv(credentialDirectory)
	if dir == "" || credential != filepath.Base(credential) || credential == ".." || credential == "." {
		return "", true, fmt.Errorf("%s: there is no such credential: write LoadCredential=%s:/PATH in the service, and start pc5d by it", path, credential)
	}
	return filepath.Join(dir, credential), true, nil
}

// fileCheck refuses a file that a key may have leaked from.
type fileCheck func(info fs.FileInfo, what, path string) error

// checkMode refuses a key that others could have read.
func checkMode(info fs.FileInfo, what, path string) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s %s is no file: name one that holds the key", what, path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s %s is readable by others (mode %04o): chmod 600 it, and make a new key if others may have read it", what, path, info.Mode().Perm())
	}
	return nil
}

// checkOwner also refuses one that belongs to somebody else.
func checkOwner(info fs.FileInfo, what, path string) error {
	if err := checkMode(info, what, path); err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s %s belongs to user %d: chown it to root or to the daemon's user", what, path, st.Uid)
	}
	return nil
}
