package provision

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// maxFile bounds a file, so that a wrong path does not fill the memory (chosen).
const maxFile = 1 << 20

// document is one file: its values, where each of them stands, and what is wrong with it.
// A path names a value: the quoted keys and the array indices that lead to it.
type document struct {
	name        string
	data        []byte
	places      map[string]place
	diagnostics Diagnostics
}

// place is where a key and its value begin, as octets from the beginning of the file.
type place struct{ key, value int }

// open parses data; it returns false where the syntax is wrong, which is then the only
// diagnostic, because nothing after it can be trusted.
func open(name string, data []byte) (*document, map[string]any, bool) {
	d := &document{name: name, data: data}
	if len(data) > maxFile {
		d.diagnose(0, "is larger than 1 MiB", "is this a provisioning file?")
		return d, nil, false
	}
	// The byte order mark of some editors is not TOML; the library would blame the first key.
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		d.diagnose(0, "begins with a byte order mark", "save the file as plain UTF-8")
		return d, nil, false
	}
	values := map[string]any{}
	err := toml.Unmarshal(data, &values)
	l, located := locate(data)
	switch {
	case err != nil && located == nil && l.repeated >= 0:
		// The library does not say where a second definition is.
		d.diagnose(l.repeated, "not TOML: "+plain(err), "remove one")
		return d, nil, false
	case err != nil || located != nil:
		d.syntax(cmp.Or(err, located))
		return d, nil, false
	}
	d.places = l.places
	return d, values, true
}

// syntax reports an error of the TOML library.
func (d *document) syntax(err error) {
	diagnostic := Diagnostic{File: d.name, Line: 1, Column: 1, Message: "not TOML: " + plain(err)}
	if at, ok := errors.AsType[*toml.DecodeError](err); ok {
		diagnostic.Line, diagnostic.Column = at.Position()
	}
	d.diagnostics = append(d.diagnostics, diagnostic)
}

func plain(err error) string { return strings.TrimPrefix(err.Error(), "toml: ") }

// diagnose reports something at an offset.
func (d *document) diagnose(offset int, message, hint string) {
	line, column := d.position(offset)
	d.diagnostics = append(d.diagnostics, Diagnostic{File: d.name, Line: line, Column: column, Message: message, Hint: hint})
}

func (d *document) position(offset int) (line, column int) {
	lead := d.data[:offset]
	return bytes.Count(lead, []byte{'\n'}) + 1, len(lead) - bytes.LastIndexByte(lead, '\n')
}

// wrong reports something about the value at a path, missing something about its key.
func (d *document) wrong(path, message, hint string) {
	d.diagnose(d.places[path].value, message, hint)
}

func (d *document) missing(path, message, hint string) {
	d.diagnose(d.places[path].key, message, hint)
}

// where names the place of a value for the text of another diagnostic.
func (d *document) where(path string) string {
	line, column := d.position(d.places[path].value)
	return fmt.Sprintf("%s:%d:%d", d.name, line, column)
}
