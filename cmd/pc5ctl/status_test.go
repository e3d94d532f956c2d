package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"pc5d/daemon/control"
	"pc5d/daemon/link"
	"pc5d/policy"
)

// TestT39_PrintedNames: whatever a peer calls itself, what pc5ctl prints stays on its line and
// commands no terminal.
func TestT39_PrintedNames(t *testing.T) {
	const hostile = "a\x1b[31m\r\n\u009b1m\u202ecba\u2028\xff"
	refused := &link.RefusedError{Peer: hostile, Expected: []policy.Fingerprint{{1}}, Reason: "its key is not the pinned one"}
	s := control.LinkStatus{Name: "bob", Interface: "pc5-bob", Peer: hostile, State: "failed", LastError: refused.Error(), Hint: (&link.PeerRefusedError{Local: link.Peer{Name: hostile}, Reason: "tls: bad certificate"}).Error()}
	var out bytes.Buffer
	printStatus(&out, control.Status{Node: control.Node{Name: hostile}, Links: []control.LinkStatus{s}})
	for _, text := range []string{out.String(), notEstablished(s).Error()} {
		if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' || r == unicode.ReplacementChar }); i >= 0 {
			t.Errorf("octet %d of %q is not printable", i, text)
		}
	}
	if lines := strings.Count(out.String(), "\n"); lines != 6 {
		t.Errorf("%d lines:\n%s", lines, out.String())
	}
}
