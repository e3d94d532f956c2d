package main

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/control"
)

// TestInviteAddresses: single addresses, also as prefixes; nothing else.
func TestInviteAddresses(t *testing.T) {
	got, err := hostAddresses("--addresses", []string{"10.5.0.1", "fd05::1/128"})
	if err != nil || len(got) != 2 || got[0] != netip.MustParseAddr("10.5.0.1") || got[1] != netip.MustParseAddr("fd05::1") {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"10.5.0.0/24", "bob", "", "10.5.0.1:33536"} {
		if _, err := hostAddresses("--allowed", []string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestInvitePrinted: the token stands alone on the output, so that a pipe carries it and nothing else.
func TestInvitePrinted(t *testing.T) {
	var out, beside bytes.Buffer
	i := control.Invite{Link: "bob", Token: "PC5IABC", Expires: time.Unix(1_800_000_000, 0), Endpoint: "192.0.2.1:33536", Addresses: []string{"fd05::1"}, Allowed: []string{"fd05::2"}}
	if err := printInvite(&out, &beside, i, true); err != nil || out.String() != "PC5IABC\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	if strings.Contains(beside.String(), i.Token) || !strings.Contains(beside.String(), "█") || !strings.Contains(beside.String(), i.Endpoint) {
		t.Errorf("%s", beside.String())
	}
}

// TestJoinReadsTheInput: a token is an argument, or the first line of the input.
func TestJoinReadsTheInput(t *testing.T) {
	for in, want := range map[string]string{"PC5IABC\n": "PC5IABC", "  PC5IABC": "PC5IABC", "PC5IABC\nmore\n": "PC5IABC", "": ""} {
		if got, err := tokenFrom("-", strings.NewReader(in)); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	if got, err := tokenFrom("PC5IX", strings.NewReader("PC5IY\n")); err != nil || got != "PC5IX" {
		t.Errorf("%q, %v", got, err)
	}
}
