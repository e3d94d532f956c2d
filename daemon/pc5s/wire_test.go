package pc5s_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"pc5d/daemon/pc5s"
)

// TestWireDocument parses every example message of docs/wire.md; its octets come out again.
func TestWireDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for line := range strings.Lines(string(text)) {
		name, dump, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || !strings.HasPrefix(name, "DIRECT LINK ") {
			continue
		}
		examples++
		b, err := hex.DecodeString(strings.ReplaceAll(dump, " ", ""))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m, err := pc5s.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if m.Type().String() != name || !bytes.Equal(pc5s.Marshal(m), b) {
			t.Errorf("%s: parsed as %s, octets %x", name, m.Type(), pc5s.Marshal(m))
		}
	}
	if examples != len(messages()) {
		t.Errorf("%d examples for %d messages", examples, len(messages()))
	}
}
