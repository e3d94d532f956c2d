package provision

import (
	"bytes"
	"fmt"
	"net/netip"
	"path"
	"strings"
)

// Source is one file of a learnt link: NAME.toml with the one link NAME.
type Source struct {
	Name string // as diagnostics call it
	Data []byte
}

// learn adds learnt links. They are read as strictly as the operator's files, but what the operator
// wrote wins over them.
func (r *reader) learn(sources []Source) {
	learnt := &reader{out: Provisioning{Node: r.out.Node}, claims: newClaims()}
	for _, s := range sources {
		l, ok := learnt.one(s)
		if !ok {
			continue
		}
		both := &reader{out: Provisioning{Node: r.out.Node}, claims: r.claims.clone()}
		if both.links(s.Name, s.Data); len(both.diagnostics) > 0 {
			r.out.Shadowed = append(r.out.Shadowed, both.diagnostics[0].Error())
			continue
		}
		r.out.Links = append(r.out.Links, l)
	}
	r.diagnostics = append(r.diagnostics, learnt.diagnostics...)
}

// one reads the one link of a source.
func (r *reader) one(s Source) (Link, bool) {
	links, errors := len(r.out.Links), len(r.diagnostics)
	r.links(s.Name, s.Data)
	if len(r.diagnostics) > errors {
		return Link{}, false
	}
	name := strings.TrimSuffix(path.Base(s.Name), ".toml")
	if got := r.out.Links[links:]; len(got) != 1 || got[0].Name != name {
		d := Diagnostic{File: s.Name, Line: 1, Column: 1, Message: fmt.Sprintf("the file of a learnt link does not hold just the link %q", name), Hint: "pc5d writes these files; move your own links to links.d beside the main file"}
		r.diagnostics = append(r.diagnostics, d)
		return Link{}, false
	}
	l := r.out.Links[links]
	l.Learnt = true
	return l, true
}

// Learn reads a learnt link for a node that runs with these links; a clash with any of them is an
// error.
func Learn(node Node, links []Link, s Source) (Link, error) {
	r := &reader{out: Provisioning{Node: node}, claims: claimsOf(links)}
	l, ok := r.one(s)
	if !ok {
		return Link{}, r.diagnostics
	}
	return l, nil
}

// Text writes a link as Learn reads it; how says in a comment where it came from. Policies and the
// like are the defaults.
func Text(l Link, how string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s. Written by pc5d; pc5ctl unpair %s removes it.\n", how, l.Name)
	fmt.Fprintf(&b, "[[link]]\nname = %s\npeer = %s\nservice = %s\npin = %q\n", Quote(l.Name), Quote(l.Peer), Quote(l.Service), l.Pin.String())
	if l.Endpoint.IsValid() {
		fmt.Fprintf(&b, "endpoint = %q\n", l.Endpoint.String())
	}
	writePrefixes(&b, "addresses", l.Addresses)
	writePrefixes(&b, "allowed", l.Allowed)
	return b.Bytes()
}

func writePrefixes(b *bytes.Buffer, key string, prefixes []netip.Prefix) {
	quoted := make([]string, len(prefixes))
	for i, p := range prefixes {
		quoted[i] = Quote(p.String())
	}
	fmt.Fprintf(b, "%s = [%s]\n", key, strings.Join(quoted, ", "))
}

// Quote writes UTF-8 as a TOML string.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, "\\u%04X", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
