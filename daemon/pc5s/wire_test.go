package pc5s_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pc5d/daemon/pc5s"
)

const wireDocument = "../../docs/wire.md"

func readWireDocument(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(wireDocument)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestWireDocument parses every example message of docs/wire.md; its octets come out again.
func TestWireDocument(t *testing.T) {
	all := samples(t)
	seen := map[string]bool{}
	for line := range strings.Lines(readWireDocument(t)) {
		name, dump, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || !strings.HasPrefix(name, "DIRECT LINK ") && !strings.HasPrefix(name, "PROSE PC5 DISCOVERY ") {
			continue
		}
		seen[name] = true
		b, err := hex.DecodeString(strings.ReplaceAll(dump, " ", ""))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		i := slices.IndexFunc(all, func(s sample) bool { return s.name == name })
		if i < 0 {
			t.Errorf("there is no %s", name)
			continue
		}
		if got, err := all[i].again(b); err != nil || b[0] != all[i].head[0] || !bytes.Equal(got, b) {
			t.Errorf("%s: %v, octets %x", name, err, got)
		}
	}
	if len(seen) != len(all) {
		t.Errorf("%d examples for %d messages", len(seen), len(all))
	}
}

const (
	tableStart = "<!-- start of what `go test ./daemon/pc5s -update` writes -->\n"
	tableEnd   = "<!-- end of it -->\n"
)

// TestWireTable compares the table of messages and IEs in docs/wire.md with those of the code.
func TestWireTable(t *testing.T) {
	text := readWireDocument(t)
	before, rest, ok := strings.Cut(text, tableStart)
	_, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no line %q before a line %q", wireDocument, tableStart, tableEnd)
	}
	golden(t, wireDocument, before+tableStart+wireTable()+tableEnd+after)
}

func wireTable() string {
	var b strings.Builder
	b.WriteString("| type, IEI | message, IE | presence | format | octets | evidence |\n|---|---|---|---|---|---|\n")
	for _, m := range pc5s.AllMessages() {
		fmt.Fprintf(&b, "| **%02X** | **%s** | | | | %s |\n", byte(m.Type()), m.Type(), pc5s.MessageEvidence(m.Type()))
		writeIEs(&b, pc5s.IEs(m))
	}
	for _, m := range pc5s.AllDiscoveries() {
		fmt.Fprintf(&b, "| **%02X** | **%s** | | | | %s |\n", byte(m.Type()), m.Type(), pc5s.DiscoveryEvidence(m.Type()))
		writeIEs(&b, pc5s.DiscoveryIEs(m))
	}
	return b.String()
}

func writeIEs(b *strings.Builder, ies []pc5s.IE) {
	for _, ie := range ies {
		iei, presence := "-", "M"
		switch {
		case ie.Unsent:
			presence = "received only"
		case ie.Optional && ie.Half:
			iei, presence = fmt.Sprintf("%X-", ie.IEI>>4), "O"
		case ie.Optional:
			iei, presence = fmt.Sprintf("%02X", ie.IEI), "O"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", iei, ie.Name, presence, ie.Format, totals(ie), ie.Evidence)
	}
}

// totals is the length of a whole IE, with its IEI and its length octets.
func totals(ie pc5s.IE) string {
	at, size := lengthAt(ie)
	head := at + size
	if ie.Format == "TV" && !ie.Half {
		head = 1
	}
	switch {
	case ie.Max == math.MaxUint16:
		return fmt.Sprintf("%d-n", head+ie.Min)
	case ie.Max != ie.Min:
		return fmt.Sprintf("%d-%d", head+ie.Min, head+ie.Max)
	}
	return fmt.Sprint(head + ie.Min)
}
