// Package kepttest is a disk in memory for the tests of what keeps files: it fails and crashes to
// order. It has what a crash is about, names and octets that are on the disk or only on their way
// there, and no more: no folders, no links, no users. It is safe for concurrent use.
package kepttest

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"sync"

	"pc5d/daemon/kept"
)

// Operation is a call that a Disk can refuse.
type Operation string

const (
	Open          Operation = "open"
	Info          Operation = "info"
	Read          Operation = "read"
	Create        Operation = "create"
	Write         Operation = "write"
	Sync          Operation = "sync"
	Close         Operation = "close"
	Empty         Operation = "empty"
	Rename        Operation = "rename"
	Remove        Operation = "remove"
	SyncDirectory Operation = "sync directory"
)

// Changes tells whether a read-only file system refuses an operation.
func (o Operation) Changes() bool {
	switch o {
	case Create, Write, Empty, Rename, Remove:
		return true
	}
	return false
}

// Fault is what becomes of a call.
type Fault struct {
	Err     error // nil: it works
	Halfway bool  // the error comes, but something was done: half a write, a whole rename
}

// Octets is what a crash leaves of octets that were not synced.
type Octets uint8

const (
	Lost    Octets = iota // the file is as it was synced last
	Arrived               // they are there all the same
	Torn                  // half of them are there
	Zeros                 // their length is there, they are not
	AllOctets
)

// inode is a file without its name.
type inode struct {
	data, synced []byte
	dirty        bool
	public       bool
}

// change is one step of the directory that was not synced: names and what they mean from then on.
type change map[string]*inode

// Disk is a kept.FS in memory, with one directory.
type Disk struct {
	// Fault decides what becomes of a call, counted from 0. nil: all work.
	Fault func(call int, op Operation) Fault

	mu      sync.Mutex
	calls   int
	names   map[string]*inode
	synced  map[string]*inode
	pending []change
}

// New makes an empty disk.
func New() *Disk { return &Disk{names: map[string]*inode{}, synced: map[string]*inode{}} }

// Calls tells how many calls there were.
func (d *Disk) Calls() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

// Pending tells how many changes of names are not on the disk.
func (d *Disk) Pending() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.pending)
}

// Crash returns the disk as a restarted machine finds it: the first so many pending changes of
// names got there, and of octets what is said. The Disk itself stays as it is.
func (d *Disk) Crash(names int, octets Octets) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	after := New()
	maps.Copy(after.names, d.synced)
	for _, c := range d.pending[:names] {
		after.apply(c)
	}
	for name, i := range after.names {
		data := i.synced
		if i.dirty {
			data = octets.of(i)
		}
		after.names[name] = &inode{data: bytes.Clone(data), synced: bytes.Clone(data), public: i.public}
	}
	maps.Copy(after.synced, after.names)
	return after
}

func (o Octets) of(i *inode) []byte {
	switch o {
	case Arrived:
		return i.data
	case Torn:
		return i.data[:len(i.data)/2]
	case Zeros:
		return make([]byte, len(i.data))
	}
	return i.synced
}

// Get returns the octets of a file as a running machine sees them.
func (d *Disk) Get(path string) ([]byte, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.names[path]
	if i == nil {
		return nil, false
	}
	return bytes.Clone(i.data), true
}

// Set puts a file on the disk; public: for others than its owner too.
func (d *Disk) Set(path string, data []byte, public bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := &inode{data: bytes.Clone(data), synced: bytes.Clone(data), public: public}
	d.names[path], d.synced[path] = i, i
}

func (d *Disk) apply(c change) {
	for name, i := range c {
		if d.names[name] = i; i == nil {
			delete(d.names, name)
		}
	}
}

// changeLocked changes names for the running machine at once, for the disk later.
func (d *Disk) changeLocked(c change) {
	d.apply(c)
	d.pending = append(d.pending, c)
}

// call does the work of one call, or part of it. Work tells what is wrong with the call itself.
func (d *Disk) call(op Operation, path string, work func(halfway bool) error) error {
	d.mu.Lock()
	n, fault := d.calls, d.Fault
	d.calls++
	d.mu.Unlock()
	var f Fault
	if fault != nil {
		f = fault(n, op)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.Err != nil {
		if f.Halfway {
			work(true)
		}
		return &fs.PathError{Op: string(op), Path: path, Err: f.Err}
	}
	if err := work(false); err != nil {
		return &fs.PathError{Op: string(op), Path: path, Err: err}
	}
	return nil
}

// Open implements kept.FS.
func (d *Disk) Open(path string) (kept.File, error) {
	f := &file{disk: d, path: path}
	err := d.call(Open, path, func(bool) error {
		if f.inode = d.names[path]; f.inode == nil {
			return fs.ErrNotExist
		}
		return nil
	})
	return f, err
}

// Create implements kept.FS.
func (d *Disk) Create(path string) (kept.File, error) {
	f := &file{disk: d, path: path}
	err := d.call(Create, path, func(bool) error {
		if d.names[path] != nil {
			return fs.ErrExist
		}
		f.inode = &inode{}
		d.changeLocked(change{path: f.inode})
		return nil
	})
	return f, err
}

// Empty implements kept.FS.
func (d *Disk) Empty(path string) error {
	return d.call(Empty, path, func(halfway bool) error {
		i := d.names[path]
		if i == nil {
			return fs.ErrNotExist
		}
		i.data, i.dirty = nil, true
		if !halfway {
			i.synced, i.dirty = nil, false
		}
		return nil
	})
}

// Rename implements kept.FS.
func (d *Disk) Rename(from, to string) error {
	return d.call(Rename, from, func(bool) error {
		i := d.names[from]
		if i == nil {
			return fs.ErrNotExist
		}
		d.changeLocked(change{from: nil, to: i})
		return nil
	})
}

// Remove implements kept.FS.
func (d *Disk) Remove(path string) error {
	return d.call(Remove, path, func(bool) error {
		if d.names[path] == nil {
			return fs.ErrNotExist
		}
		d.changeLocked(change{path: nil})
		return nil
	})
}

// SyncDirectory implements kept.FS.
func (d *Disk) SyncDirectory(path string) error {
	return d.call(SyncDirectory, path, func(bool) error {
		d.synced, d.pending = maps.Clone(d.names), nil
		return nil
	})
}

// file is an open file of a Disk.
type file struct {
	disk  *Disk
	path  string
	inode *inode
	at    int
}

func (f *file) Info() (i kept.Info, err error) {
	err = f.disk.call(Info, f.path, func(bool) error {
		i = kept.Info{Regular: true, Own: true, Private: !f.inode.public, Size: int64(len(f.inode.data))}
		return nil
	})
	return i, err
}

func (f *file) Read(b []byte) (n int, err error) {
	end := false
	err = f.disk.call(Read, f.path, func(bool) error {
		n = copy(b, f.inode.data[min(f.at, len(f.inode.data)):])
		f.at += n
		end = n == 0 && len(b) > 0
		return nil
	})
	if end && err == nil {
		err = io.EOF
	}
	return n, err
}

func (f *file) Write(b []byte) (n int, err error) {
	err = f.disk.call(Write, f.path, func(halfway bool) error {
		n = len(b)
		if halfway {
			n /= 2
		}
		f.inode.data, f.inode.dirty = append(f.inode.data, b[:n]...), true
		return nil
	})
	return n, err
}

func (f *file) Sync() error {
	return f.disk.call(Sync, f.path, func(bool) error {
		f.inode.synced, f.inode.dirty = bytes.Clone(f.inode.data), false
		return nil
	})
}

func (f *file) Close() error { return f.disk.call(Close, f.path, func(bool) error { return nil }) }
