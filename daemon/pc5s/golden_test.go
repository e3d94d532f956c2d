package pc5s_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pc5d/daemon/pc5s"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares a file with what it should say, or rewrites it.
func golden(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("%s, run with -update if it is right (-file +code):\n%s", path, diff)
	}
}

// dump writes pieces of a message with a blank between IEs.
func dump(pieces ...[]byte) string {
	var words []string
	for _, p := range pieces {
		words = append(words, hex.EncodeToString(p))
	}
	return strings.Join(words, " ")
}

// TestGolden: the octets of each message, of its mandatory part with each optional IE alone, and
// of all of it. Each line parses, and comes out as it is.
func TestGolden(t *testing.T) {
	var text strings.Builder
	for _, s := range samples(t) {
		least := [][]byte{s.head}
		for _, ie := range s.mandated {
			least = append(least, ie.Octets)
		}
		all := slices.Clone(least)
		fmt.Fprintf(&text, "%s\n    mandatory part: %s\n", s.message.Type(), dump(least...))
		for _, ie := range s.optional {
			all = append(all, ie.Octets)
			fmt.Fprintf(&text, "    %s: %s\n", ie.Name, dump(append(slices.Clone(least), ie.Octets)...))
		}
		if len(s.optional) > 1 {
			fmt.Fprintf(&text, "    all: %s\n", dump(all...))
		}
	}
	golden(t, "testdata/messages.txt", text.String())
	for line := range strings.Lines(text.String()) {
		name, octets, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(octets, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		m, err := pc5s.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := pc5s.Marshal(m); !bytes.Equal(got, b) {
			t.Errorf("%s: got %x, want %x", name, got, b)
		}
	}
}
