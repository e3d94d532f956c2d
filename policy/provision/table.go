package provision

import (
	"encoding"
	"fmt"
	"slices"
)

// table reads the keys of one TOML table. Every reader tells whether the key was there with the
// right type; a wrong type is reported on the spot. What no reader asked for is unknown.
type table struct {
	doc    *document
	path   string
	label  string // as the operator writes it, for messages
	values map[string]any
	asked  []string

	elsewhere map[string]string // keys that are looked for here in vain -> hint where they are
}

// at is the path of a key.
func (t *table) at(key string) string { return child(t.path, key) }

// name is how messages call a key.
func (t *table) name(key string) string {
	if t.label == "" {
		return key
	}
	return t.label + "." + key
}

func (t *table) lookup(key string) (any, bool) {
	t.asked = append(t.asked, key)
	v, ok := t.values[key]
	return v, ok
}

// read is the common part of the typed readers.
func read[T any](t *table, key, article string) (value T, ok bool) {
	v, ok := t.lookup(key)
	if !ok {
		return value, false
	}
	value, ok = v.(T)
	if !ok {
		t.doc.wrong(t.at(key), fmt.Sprintf("%s is not %s", t.name(key), article), "")
	}
	return value, ok
}

func (t *table) text(key string) (string, bool) {
	return read[string](t, key, "a string: write it in quotes")
}
func (t *table) flag(key string) (bool, bool) {
	return read[bool](t, key, "true or false: write it without quotes")
}
func (t *table) number(key string) (int64, bool) {
	return read[int64](t, key, "a whole number: write it without quotes")
}

// written tells whether a key is there, rightly or wrongly.
func (t *table) written(key string) bool {
	_, written := t.values[key]
	return written
}

// required is text that must be there and not be empty.
func (t *table) required(key, hint string) (string, bool) {
	s, ok := t.text(key)
	if _, written := t.values[key]; !written {
		t.doc.missing(t.path, fmt.Sprintf("%s is missing", t.name(key)), hint)
		return "", false
	}
	if ok && s == "" {
		t.doc.wrong(t.at(key), t.name(key)+" is empty", hint)
		return "", false
	}
	return s, ok
}

// entry is one string of a list and its path.
type entry struct{ text, path string }

// list reads an array of strings; elements of another type are reported and left out.
func (t *table) list(key string) ([]entry, bool) {
	values, ok := read[[]any](t, key, `a list: write ["...", "..."]`)
	if !ok {
		return nil, false
	}
	entries := make([]entry, 0, len(values))
	for i, v := range values {
		path := element(t.at(key), i)
		s, ok := v.(string)
		if !ok {
			t.doc.wrong(path, fmt.Sprintf("%s holds something that is not a string: write it in quotes", t.name(key)), "")
			continue
		}
		entries = append(entries, entry{text: s, path: path})
	}
	return entries, true
}

// table reads a table inside this one; absent, it is empty.
func (t *table) table(key string) *table {
	values, _ := read[map[string]any](t, key, fmt.Sprintf("a table: write [%s]", t.name(key)))
	return &table{doc: t.doc, path: t.at(key), label: t.name(key), values: values}
}

// tables reads an array of tables, [[key]].
func (t *table) tables(key string) []*table {
	values, ok := t.lookup(key)
	if !ok {
		return nil
	}
	list, ok := values.([]any)
	if !ok {
		t.doc.missing(t.at(key), fmt.Sprintf("%s is not a list of tables", t.name(key)), fmt.Sprintf("write [[%s]]", t.name(key)))
		return nil
	}
	out := make([]*table, 0, len(list))
	for i, v := range list {
		path := element(t.at(key), i)
		values, ok := v.(map[string]any)
		if !ok {
			t.doc.wrong(path, fmt.Sprintf("%s is not a list of tables", t.name(key)), fmt.Sprintf("write [[%s]]", t.name(key)))
			continue
		}
		out = append(out, &table{doc: t.doc, path: path, label: t.name(key), values: values})
	}
	return out
}

// finish reports the keys that nobody asked for.
func (t *table) finish() {
	for key := range t.values {
		if !slices.Contains(t.asked, key) {
			hint, moved := t.elsewhere[key]
			if !moved {
				hint = suggest(key, t.asked)
			}
			t.doc.missing(t.at(key), fmt.Sprintf("unknown key %q", key), hint)
		}
	}
}

// word reads text into a type that knows its own words.
func word[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](t *table, key string, into P, known ...string) {
	s, ok := t.text(key)
	if !ok {
		return
	}
	if into.UnmarshalText([]byte(s)) != nil {
		t.doc.wrong(t.at(key), fmt.Sprintf("%s does not know the word %q", t.name(key), s), suggest(s, known))
	}
}
