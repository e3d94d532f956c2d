package invite_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pc5d/daemon/auth/invite"
	"pc5d/daemon/keys"
	"pc5d/policy"
)

func sample() invite.Token {
	return invite.Token{
		Name: "zoë's truck", Key: policy.Fingerprint{1, 2, 3}, Endpoint: netip.MustParseAddrPort("192.0.2.1:33536"),
		Secret: keys.NewSecret(bytes.Repeat([]byte{0xA5}, invite.SecretLen)), Expires: time.Unix(1_800_000_000, 0),
		Inviter: []netip.Addr{netip.MustParseAddr("10.5.0.1"), netip.MustParseAddr("fd05::1")}, Joiner: []netip.Addr{netip.MustParseAddr("fd05::2")},
	}
}

// TestToken: a token is read back as it was written, also typed in small letters over two lines, and
// one wrong character anywhere is noticed.
func TestToken(t *testing.T) {
	want := sample()
	text, err := want.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{text, strings.ToLower(text), text[:20] + "\n  " + text[20:] + "\n"} {
		got, err := invite.Parse(s)
		if err != nil || !got.Secret.Equal(want.Secret) {
			t.Fatalf("%v", err)
		}
		got.Secret = want.Secret
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }), cmp.Comparer(func(a, b keys.Secret) bool { return a.Equal(b) })); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	for i := range text {
		for _, c := range "A2-" {
			if spoilt := text[:i] + string(c) + text[i+1:]; spoilt != text {
				if _, err := invite.Parse(spoilt); err == nil {
					t.Errorf("character %d as %c is not noticed", i, c)
				}
			}
		}
		if _, err := invite.Parse(text[:i]); err == nil {
			t.Errorf("%d characters pass", i)
		}
	}
	if _, err := invite.Parse(text + text); err == nil {
		t.Error("two tokens pass for one")
	}
}

// TestTokenChecks: what would lead traffic elsewhere, or is no token of one host, is neither written
// nor read.
func TestTokenChecks(t *testing.T) {
	for name, spoil := range map[string]func(*invite.Token){
		"public address":    func(t *invite.Token) { t.Inviter = []netip.Addr{netip.MustParseAddr("8.8.8.8")} },
		"loopback":          func(t *invite.Token) { t.Joiner = []netip.Addr{netip.MustParseAddr("127.0.0.1")} },
		"IPv4 in IPv6":      func(t *invite.Token) { t.Joiner = []netip.Addr{netip.MustParseAddr("::ffff:10.0.0.1")} },
		"same at both ends": func(t *invite.Token) { t.Joiner = t.Inviter },
		"none":              func(t *invite.Token) { t.Joiner = nil },
		"too many": func(t *invite.Token) {
			t.Joiner = append(t.Joiner, t.Joiner[0].Next(), t.Joiner[0].Next().Next(), t.Joiner[0].Next().Next().Next(), t.Joiner[0].Next().Next().Next().Next())
		},
		"endpoint inside":    func(t *invite.Token) { t.Endpoint = netip.AddrPortFrom(t.Inviter[0], 33536) },
		"broadcast endpoint": func(t *invite.Token) { t.Endpoint = netip.MustParseAddrPort("255.255.255.255:33536") },
		"no endpoint":        func(t *invite.Token) { t.Endpoint = netip.AddrPort{} },
		"port 0":             func(t *invite.Token) { t.Endpoint = netip.MustParseAddrPort("192.0.2.1:0") },
		"no name":            func(t *invite.Token) { t.Name = "" },
		"name with escape":   func(t *invite.Token) { t.Name = "a\x1b[31m" },
		"name not UTF-8":     func(t *invite.Token) { t.Name = "\xff" },
		"long name":          func(t *invite.Token) { t.Name = strings.Repeat("x", 129) },
		"short secret":       func(t *invite.Token) { t.Secret = keys.NewSecret(make([]byte, 15)) },
	} {
		token := sample()
		spoil(&token)
		if _, err := token.Text(); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

// TestT41_ProofIsBound: another secret, key or request makes another proof.
func TestT41_ProofIsBound(t *testing.T) {
	secret, request := sample().Secret, []byte("request")
	want, err := invite.Proof(secret, policy.Fingerprint{1}, request)
	if err != nil {
		t.Fatal(err)
	}
	other := keys.NewSecret(bytes.Clone(secret.Bytes()))
	other.Bytes()[15] ^= 1
	for name, c := range map[string]struct {
		secret  keys.Secret
		key     policy.Fingerprint
		request []byte
	}{
		"secret": {other, policy.Fingerprint{1}, request}, "key": {secret, policy.Fingerprint{2}, request}, "request": {secret, policy.Fingerprint{1}, []byte("requesT")},
	} {
		if got, err := invite.Proof(c.secret, c.key, c.request); err != nil || got == want {
			t.Errorf("another %s makes the same proof, %v", name, err)
		}
	}
}

// TestAddresses: both ends of a link have addresses of one private network, which the secret decides.
func TestAddresses(t *testing.T) {
	a, b, err := invite.Addresses(sample().Secret)
	if err != nil || !a.IsPrivate() || !b.IsPrivate() || a.Next() != b {
		t.Errorf("%s, %s, %v", a, b, err)
	}
	c, _, _ := invite.Addresses(keys.NewSecret(make([]byte, invite.SecretLen)))
	if a == c {
		t.Error("two secrets have one network")
	}
}

// FuzzT41Token: nothing panics, and what is read is written the same.
func FuzzT41Token(f *testing.F) {
	text, err := sample().Text()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("PC5I")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := invite.Parse(text)
		if err != nil {
			return
		}
		again, err := token.Text()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := invite.Parse(again); err != nil {
			t.Fatal(err)
		}
	})
}

// TestWireDocument: the example of docs/wire.md is the token, the proof and the addresses that it
// says it is.
func TestWireDocument(t *testing.T) {
	text, err := os.ReadFile("../../../docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && strings.HasPrefix(line, "    ") {
			doc[name] = value
		}
	}
	secret := make([]byte, invite.SecretLen)
	for i := range secret {
		secret[i] = byte(i)
	}
	token := invite.Token{
		Name: "alice", Key: policy.Fingerprint(bytes.Repeat([]byte{4}, 32)), Endpoint: netip.MustParseAddrPort("192.0.2.1:33536"), Secret: keys.NewSecret(secret),
		Expires: time.Unix(1_800_000_000, 0), Inviter: []netip.Addr{netip.MustParseAddr("10.5.0.1")}, Joiner: []netip.Addr{netip.MustParseAddr("10.5.0.2")},
	}
	written, err := token.Text()
	proof, proofErr := invite.Proof(token.Secret, policy.Fingerprint(bytes.Repeat([]byte{5}, 32)), []byte("request"))
	inviter, joiner, addressErr := invite.Addresses(token.Secret)
	for name, got := range map[string]string{"token": written, "proof": hex.EncodeToString(proof[:]), "addresses": inviter.String() + " " + joiner.String()} {
		if got != doc[name] {
			t.Errorf("docs/wire.md says of %s %q, the code makes\n    %s: %s", name, doc[name], name, got)
		}
	}
	if err := errors.Join(err, proofErr, addressErr); err != nil {
		t.Error(err)
	}
}
