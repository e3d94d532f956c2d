package provision

import (
	"fmt"
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"
)

func child(path, key string) string     { return path + "." + strconv.Quote(key) }
func element(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// locator walks the syntax tree and notes where every key and value begins.
type locator struct {
	parser unstable.Parser
	places map[string]place
	tables map[string]int // path of an array of tables -> how many it has

	defined  map[string]bool // by a value or by a header of its own
	repeated int             // offset of the first second definition, or -1
}

// locate walks a document. The root's place is 0. The places are complete where the document is
// valid TOML; the syntax tree alone does not tell that.
func locate(data []byte) (*locator, error) {
	l := &locator{places: map[string]place{}, tables: map[string]int{}, defined: map[string]bool{}, repeated: -1}
	l.parser.Reset(data)
	table := ""
	for l.parser.NextExpression() {
		e := l.parser.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = l.header(e)
		case unstable.KeyValue:
			l.keyValue(table, e)
		}
	}
	if err := l.parser.Error(); err != nil {
		return nil, fmt.Errorf("toml: %w", err)
	}
	return l, nil
}

// header enters [a.b] or [[a.b]] and returns the path of the table that follows. A part that
// is an array of tables means its last one.
func (l *locator) header(e *unstable.Node) string {
	path := ""
	keys := e.Key()
	for keys.Next() {
		key := keys.Node()
		at := int(key.Raw.Offset)
		path = child(path, string(key.Data))
		l.note(path, place{key: at, value: at})
		n := l.tables[path]
		if e.Kind == unstable.ArrayTable && keys.IsLast() {
			n++
			l.tables[path] = n
		}
		if n > 0 {
			path = element(path, n-1)
			l.note(path, place{key: at, value: at})
		}
		if keys.IsLast() {
			l.define(path, at)
		}
	}
	return path
}

func (l *locator) keyValue(table string, e *unstable.Node) {
	path, at := table, 0
	keys := e.Key()
	for keys.Next() {
		key := keys.Node()
		at = int(key.Raw.Offset)
		path = child(path, string(key.Data))
		l.note(path, place{key: at, value: at})
	}
	l.define(path, at)
	l.value(path, at, e.Value())
}

func (l *locator) define(path string, at int) {
	if l.defined[path] && l.repeated < 0 {
		l.repeated = at
	}
	l.defined[path] = true
}

// value notes where a value begins; at is the place of its key, which stands for a value that
// the parser gives no place (an array).
func (l *locator) value(path string, at int, v *unstable.Node) {
	begin := at
	switch {
	case v.Raw.Length > 0:
		begin = int(v.Raw.Offset)
	case v.Kind != unstable.Array && len(v.Data) > 0:
		begin = int(l.parser.Range(v.Data).Offset)
	}
	l.places[path] = place{key: at, value: begin}
	i := 0
	for it := v.Children(); it.Next(); {
		switch n := it.Node(); {
		case v.Kind == unstable.InlineTable:
			l.keyValue(path, n)
		case n.Kind != unstable.Comment:
			l.value(element(path, i), begin, n)
			i++
		}
	}
}

// note keeps the first place of a path: later headers may pass through a table again.
func (l *locator) note(path string, p place) {
	if _, known := l.places[path]; !known {
		l.places[path] = p
	}
}
