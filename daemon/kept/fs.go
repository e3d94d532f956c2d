package kept

import "io"

// FS is what the store asks of the file system. Package kepttest has one in memory that fails and
// crashes to order.
type FS interface {
	// Open opens a file to read it. It follows no symbolic link and waits for no other end.
	Open(path string) (File, error)
	// Create makes a file that does not exist yet, for its owner alone.
	Create(path string) (File, error)
	// Empty cuts a file to nothing, on the disk too when it returns. It follows no symbolic link.
	Empty(path string) error
	Rename(from, to string) error
	Remove(path string) error
	// SyncDirectory returns when what was created, renamed or removed in a directory is on the disk.
	SyncDirectory(path string) error
}

// File is an open file.
type File interface {
	io.Reader
	io.Writer
	io.Closer
	Info() (Info, error)
	Sync() error
}

// Info is what the store wants to know of a file before it reads it.
type Info struct {
	Regular bool
	Private bool // nobody but the owner may read or write it
	Own     bool // the owner is this process's user or root
	Size    int64
}
