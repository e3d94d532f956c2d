package provision_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"pc5d/policy/provision"
)

// page is docs/provisioning.md.
type page struct {
	least, everything string // its examples
	rows              []pageRow
}

type pageRow struct{ key, standard, bounds string }

var (
	example = regexp.MustCompile("(?s)```toml\n(.*?)```")
	keyRow  = regexp.MustCompile("(?m)^\\| `((?:node|link)\\.[^`]+)` \\| (.*) \\| (.*) \\| (.*)\\|$")
	literal = regexp.MustCompile("^`([^`]+)`$")
	between = regexp.MustCompile("^`([^`]+)` to `([^`]+)`$")
	atLeast = regexp.MustCompile("^at least `([^`]+)`$")
	known   = regexp.MustCompile(`unknown key "zzzzzzzzzzzzzzzz" \(known: (.*)\)`)
)

func readPage(t *testing.T) page {
	t.Helper()
	text, err := os.ReadFile("../../docs/provisioning.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := example.FindAllStringSubmatch(string(text), -1)
	if len(examples) != 2 {
		t.Fatalf("the page has %d examples, want the least and everything", len(examples))
	}
	p := page{least: examples[0][1], everything: examples[1][1]}
	for _, m := range keyRow.FindAllStringSubmatch(string(text), -1) {
		p.rows = append(p.rows, pageRow{key: m[1], standard: m[3], bounds: strings.TrimSpace(m[4])})
	}
	return p
}

// with writes one more key into the least example, and what that key needs.
func (p page) with(key, value string) string {
	section, rest, _ := strings.Cut(key, ".")
	line := rest + " = " + value + "\n"
	if section == "node" {
		return strings.Replace(p.least, "[node]\n", "[node]\n"+line, 1)
	}
	if strings.HasPrefix(rest, "privacy.") {
		line += "signalling.ciphering = \"required\"\n"
	}
	return p.least + line
}

func parse(text string) (*provision.Provisioning, error) {
	return provision.Parse("pc5d.toml", []byte(text))
}

// TestPage_Keys: tables and example of the page name the keys that the reader asks for.
func TestPage_Keys(t *testing.T) {
	p := readPage(t)
	var tables []string
	for _, r := range p.rows {
		tables = append(tables, r.key)
	}
	slices.Sort(tables)
	reader := slices.Sorted(slices.Values(slices.Concat(p.readerKeys(t, "node"), p.readerKeys(t, "link"))))
	if diff := cmp.Diff(reader, tables); diff != "" {
		t.Errorf("keys of the tables (-reader +page):\n%s", diff)
	}
	var values struct {
		Node map[string]any
		Link []map[string]any
	}
	if err := toml.Unmarshal([]byte(p.everything), &values); err != nil {
		t.Fatal(err)
	}
	keys := flat("node", values.Node)
	for _, l := range values.Link { // no link has all keys: some exclude each other
		keys = append(keys, flat("link", l)...)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if diff := cmp.Diff(reader, keys); diff != "" {
		t.Errorf("keys of the example (-reader +page):\n%s", diff)
	}
}

// readerKeys asks the reader for the keys of a table by giving it one that it does not know.
func (p page) readerKeys(t *testing.T, table string) []string {
	t.Helper()
	_, err := parse(p.with(table+".zzzzzzzzzzzzzzzz", "1"))
	m := known.FindStringSubmatch(fmt.Sprint(err))
	if m == nil {
		t.Fatalf("no list of known keys of %s in: %v", table, err)
	}
	var keys []string
	for quoted := range strings.SplitSeq(m[1], ", ") {
		name, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatal(err)
		}
		key := table + "." + name
		if _, err := parse(p.with(key, "1")); strings.Contains(fmt.Sprint(err), key+" is not a table") {
			keys = append(keys, p.readerKeys(t, key)...)
		} else {
			keys = append(keys, key)
		}
	}
	return keys
}

func flat(path string, table map[string]any) []string {
	var keys []string
	for key, value := range table {
		if inner, ok := value.(map[string]any); ok {
			keys = append(keys, flat(path+"."+key, inner)...)
		} else {
			keys = append(keys, path+"."+key)
		}
	}
	return keys
}

// TestPage_Examples: both load, and the long one says what its keys say.
func TestPage_Examples(t *testing.T) {
	p := readPage(t)
	if _, err := parse(p.least); err != nil {
		t.Errorf("the least:\n%v", err)
	}
	got, err := parse(p.everything)
	if err != nil {
		t.Fatalf("everything:\n%v", err)
	}
	l := got.Links[0]
	if len(got.Node.Timers.First) != 9 || l.KeepAlive != time.Minute || l.Inactivity != 10*time.Minute {
		t.Errorf("timers %v, keep-alive %v, inactivity %v", got.Node.Timers, l.KeepAlive, l.Inactivity)
	}
	if want := (provision.Rekey{Time: time.Hour, Packets: 1_000_000, Bytes: 10e9}); l.Rekey != want {
		t.Errorf("rekey is %+v, want %+v", l.Rekey, want)
	}
	if want := (provision.Privacy{Identity: true, Update: 5 * time.Minute, Port: true}); l.Privacy != want {
		t.Errorf("privacy is %+v, want %+v", l.Privacy, want)
	}
}

// TestPage_Defaults: a default that is written out changes nothing.
func TestPage_Defaults(t *testing.T) {
	p := readPage(t)
	for _, r := range p.rows {
		m := literal.FindStringSubmatch(r.standard)
		if m == nil || strings.HasPrefix(m[1], "link.") {
			continue
		}
		got, err := parse(p.with(r.key, m[1]))
		if err != nil {
			t.Errorf("%s = %s:\n%v", r.key, m[1], err)
			continue
		}
		base := p.least
		if strings.HasPrefix(r.key, "link.privacy.") {
			base = p.with("link.signalling.ciphering", `"required"`)
		}
		want, err := parse(base)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, comparable); diff != "" {
			t.Errorf("%s = %s is not the default (-default +got):\n%s", r.key, m[1], diff)
		}
	}
}

// TestPage_Bounds: a bound is accepted, what lies beyond it is refused.
func TestPage_Bounds(t *testing.T) {
	p := readPage(t)
	tested := 0
	for _, r := range p.rows {
		var good, bad []string
		if m := between.FindStringSubmatch(r.bounds); m != nil {
			good, bad = m[1:3], []string{beyond(t, m[1], -1), beyond(t, m[2], 1)}
		} else if m := atLeast.FindStringSubmatch(r.bounds); m != nil {
			good, bad = m[1:2], []string{beyond(t, m[1], -1)}
		}
		for _, value := range good {
			tested++
			if _, err := parse(p.with(r.key, value)); err != nil {
				t.Errorf("%s = %s is a bound on the page, but: %v", r.key, value, err)
			}
		}
		for _, value := range bad {
			if _, err := parse(p.with(r.key, value)); !strings.Contains(fmt.Sprint(err), "out of range") {
				t.Errorf("%s = %s is beyond a bound on the page, got error: %v", r.key, value, err)
			}
		}
	}
	if tested < 30 {
		t.Errorf("only %d bounds were found on the page", tested)
	}
}

// beyond is the next number, nanosecond or octet below (-1) or above (1) a bound.
func beyond(t *testing.T, bound string, step int64) string {
	t.Helper()
	if n, err := strconv.ParseInt(bound, 10, 64); err == nil {
		return strconv.FormatInt(n+step, 10)
	}
	text := strings.Trim(bound, `"`)
	if d, err := time.ParseDuration(text); err == nil {
		return strconv.Quote((d + time.Duration(step)).String())
	}
	megabytes, err := strconv.ParseInt(strings.TrimSuffix(text, "MB"), 10, 64)
	if err != nil {
		t.Fatalf("bound %s is neither a number, a duration nor a size in MB", bound)
	}
	return fmt.Sprintf("\"%dB\"", megabytes*1_000_000+step)
}
