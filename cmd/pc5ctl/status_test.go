package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
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
	if lines := strings.Count(out.String(), "\n"); lines != 8 {
		t.Errorf("%d lines:\n%s", lines, out.String())
	}
}

// TestStatus_Certificates: the end of a certificate is shown, loudly where it is soon, and not where
// there is none.
func TestStatus_Certificates(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		left time.Duration
		want string
	}{{30*day + time.Hour, "certificate until"}, {10*day + time.Hour, "certificate ENDS IN 10 DAYS"}, {-time.Hour, "certificate HAS ENDED"}} {
		var out bytes.Buffer
		printStatus(&out, control.Status{Node: control.Node{CertificateEnd: time.Now().Add(c.left)}})
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%v left: %q, want %q", c.left, out.String(), c.want)
		}
	}
	var out bytes.Buffer
	printStatus(&out, control.Status{})
	if strings.Contains(out.String(), "certificate") {
		t.Errorf("without one: %q", out.String())
	}
}

// TestStatus_T59_Path: what the path takes is shown while it is known.
func TestStatus_T59_Path(t *testing.T) {
	for _, c := range []struct {
		path *control.Path
		want string
	}{
		{&control.Path{MTU: 1476, Content: 1408}, "path        MTU 1476 in use, records of 1408 octets\n"},
		{&control.Path{MTU: 1220, Content: 1152, Searching: true}, "path        MTU 1220 in use, records of 1152 octets; being searched\n"},
	} {
		var out bytes.Buffer
		printStatus(&out, control.Status{Links: []control.LinkStatus{{Protection: &control.Protection{}, Path: c.path}}})
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%q has not %q", out.String(), c.want)
		}
	}
}
