package provision

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// linksDir stands beside the main file.
const linksDir = "links.d"

// reader collects what the files say.
type reader struct {
	out         Provisioning
	claims      *claims
	diagnostics Diagnostics
}

// Load reads the main file at path and every *.toml of the directory links.d beside it, which
// may be absent. An error is Diagnostics, or says which file could not be read.
func Load(path string) (*Provisioning, error) { return LoadWith(path, nil) }

// LoadWith is Load, and then the links that the node has learnt. One that clashes with what the
// operator wrote is left out and stands in Shadowed.
func LoadWith(path string, learnt []Source) (*Provisioning, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	files, err := linkFiles(filepath.Join(filepath.Dir(path), linksDir))
	if err != nil {
		return nil, err
	}
	r := &reader{claims: newClaims()}
	r.main(path, data)
	for _, file := range files {
		data, err := readFile(file)
		if err != nil {
			return nil, err
		}
		r.links(file, data)
	}
	r.learn(learnt)
	return r.result()
}

// Parse reads one main file from memory; name stands in diagnostics, and its directory is where
// a relative identity is.
func Parse(name string, data []byte) (*Provisioning, error) {
	r := &reader{claims: newClaims()}
	r.main(name, data)
	return r.result()
}

func (r *reader) result() (*Provisioning, error) {
	if len(r.diagnostics) > 0 {
		return nil, r.diagnostics
	}
	return &r.out, nil
}

// main reads a file with [node] and links.
func (r *reader) main(name string, data []byte) {
	r.file(name, data, func(root *table) {
		r.node(root)
	})
}

// links reads a file with links only.
func (r *reader) links(name string, data []byte) {
	r.file(name, data, func(root *table) {
		if _, written := root.lookup("node"); written {
			root.doc.missing(root.at("node"), "[node] belongs in the main file", "keep only [[link]] here")
		}
	})
}

func (r *reader) file(name string, data []byte, node func(root *table)) {
	doc, values, ok := open(name, data)
	if ok {
		root := &table{doc: doc, values: values}
		node(root)
		for _, t := range root.tables("link") {
			r.link(t)
		}
		root.finish()
	}
	r.diagnostics = append(r.diagnostics, sorted(doc.diagnostics)...)
}

// linkFiles lists the link files in the order of their names; files that begin with a dot are
// somebody's editor at work.
func linkFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(dir, err)
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".toml") && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	slices.Sort(files)
	return files, nil
}

func readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	return data, nil
}

// unreadableError is one sentence for the operator; errors.Is still finds the cause.
type unreadableError struct {
	sentence string
	cause    error
}

func (e *unreadableError) Error() string { return e.sentence }
func (e *unreadableError) Unwrap() error { return e.cause }

// unreadable says what is the matter with a path and what to do.
func unreadable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &unreadableError{path + " does not exist: write it, or name another main file with --config", err}
	case errors.Is(err, fs.ErrPermission):
		return &unreadableError{path + " may not be read by this user: run as root or as the daemon's user", err}
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return fmt.Errorf("%s cannot be read: %w", path, err)
}
