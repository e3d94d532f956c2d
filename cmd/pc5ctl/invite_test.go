package main

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/auth/invite"
	"pc5d/daemon/control"
	"pc5d/daemon/keys"
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

// TestStatusOfTrust: status says whom a link trusts, since when, and what comes by itself.
func TestStatusOfTrust(t *testing.T) {
	day := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	printStatus(&out, control.Status{
		Links: []control.LinkStatus{
			{Name: "a", Trust: "first-use", Pin: "SHA256:X", Pinned: day, Addresses: []netip.Prefix{netip.MustParsePrefix("fd05::1/128")}, Allowed: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
			{Name: "b", Trust: "first-use"}, {Name: "c", Trust: "pin", Pin: "SHA256:Y", Learnt: true},
		},
		Invites: []control.OpenInvite{{Link: "d", Peer: "dora", Expires: day}},
	})
	for _, want := range []string{
		"inside      here fd05::1, there 10.0.0.0/8\n", "trust       first-use (pinned SHA256:X on 2026-03-01)\n", "trust       first-use (no key pinned yet)\n",
		"trust       pin SHA256:Y\n", "learnt      pc5ctl unpair c removes it\n", "invite d  open until 2026-03-01T12:00:00Z\n  for         \"dora\" alone\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, out.String())
		}
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

// TestT71_JoinAnnounced: before anybody waits, a token is read and it is said where it leads, without its
// secret; one that is not whole ends there.
func TestT71_JoinAnnounced(t *testing.T) {
	token := invite.Token{
		Name: "alice", Endpoint: netip.MustParseAddrPort("192.0.2.1:33536"), Secret: keys.NewSecret(bytes.Repeat([]byte{7}, invite.SecretLen)), Expires: time.Unix(1_800_000_000, 0),
		Inviter: []netip.Addr{netip.MustParseAddr("10.5.0.1")}, Joiner: []netip.Addr{netip.MustParseAddr("10.5.0.2")},
	}
	text, err := token.Text()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := announce(&out, text, 20*time.Second); err != nil || out.String() != "joining \"alice\" at 192.0.2.1:33536, for at most 20s\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	if err := announce(&out, text[:len(text)-4], 20*time.Second); err == nil {
		t.Error("half a token is taken")
	}
}
