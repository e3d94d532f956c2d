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
	dumps(t, "testdata/messages.txt", signallingSamples(t))
	dumps(t, "testdata/discovery.txt", discoverySamples(t))
}

func dumps(t *testing.T, path string, all []sample) {
	t.Helper()
	var text strings.Builder
	line := func(s sample, name string, pieces [][]byte) {
		fmt.Fprintf(&text, "    %s: %s\n", name, dump(pieces...))
		b := slices.Concat(pieces...)
		if got, err := s.again(b); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: %s: got %x, %v, want %x", s.name, name, got, err, b)
		}
	}
	for _, s := range all {
		least := [][]byte{s.head}
		for _, ie := range s.mandated {
			least = append(least, ie.Octets)
		}
		fmt.Fprintf(&text, "%s\n", s.name)
		line(s, "mandatory part", least)
		whole := slices.Clone(least)
		for _, ie := range s.optional {
			whole = append(whole, ie.Octets)
			line(s, ie.Name, append(slices.Clone(least), ie.Octets))
		}
		if len(s.optional) > 1 {
			line(s, "all", whole)
		}
	}
	golden(t, path, text.String())
}
