package provision_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pc5d/policy"
	"pc5d/policy/provision"
)

func learntLink(name, more string) provision.Source {
	return provision.Source{Name: "/state/links.d/" + name + ".toml", Data: []byte(linkText(name, more))}
}

// TestLearnt: learnt links come after the operator's, who wins wherever they clash.
func TestLearnt(t *testing.T) {
	path := write(t, map[string]string{"pc5d.toml": node + linkText("bob", "peer = \"robert\"\nallowed = [\"10.7.0.1/32\"]\n")})
	_, err := provision.LoadWith(path, []provision.Source{
		learntLink("bob", ""), learntLink("carol", ""), learntLink("dave", "peer = \"robert\"\n"), learntLink("erin", "allowed = [\"10.7.0.1/32\", \"10.7.0.2/32\"]\n"),
		learntLink("frank", "allowed = [\"10.7.0.2/32\"]\n"),
	})
	if err == nil {
		t.Fatal("two learnt links with one prefix were accepted")
	}
	p, err := provision.LoadWith(path, []provision.Source{
		learntLink("bob", ""), learntLink("carol", "allowed = [\"10.7.0.2/32\"]\n"), learntLink("dave", "peer = \"robert\"\n"), learntLink("erin", "allowed = [\"10.7.0.1/32\"]\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range p.Links {
		if l.Learnt != (l.Name == "carol") {
			t.Errorf("%s: learnt %v", l.Name, l.Learnt)
		}
		names = append(names, l.Name)
	}
	if got := strings.Join(names, " "); got != "bob carol" {
		t.Errorf("links are %q", got)
	}
	if len(p.Shadowed) != 3 || !strings.HasPrefix(p.Shadowed[0], "/state/links.d/bob.toml:2:8: link.name \"bob\" is taken already") {
		t.Errorf("shadowed: %q", p.Shadowed)
	}
}

// TestLearntIsStrict: what is no file of one learnt link stops the start, as the operator's own
// mistakes do: a link that went away silently would take its guard routes with it.
func TestLearntIsStrict(t *testing.T) {
	path := write(t, map[string]string{"pc5d.toml": node})
	for name, s := range map[string]provision.Source{
		"another name": {Name: "links.d/bob.toml", Data: []byte(linkText("carol", ""))},
		"two links":    {Name: "links.d/bob.toml", Data: []byte(linkText("bob", "") + linkText("carol", ""))},
		"no link":      {Name: "links.d/bob.toml", Data: nil},
		"unknown key":  learntLink("bob", "colour = \"red\"\n"),
		"a node":       {Name: "links.d/bob.toml", Data: []byte(node + linkText("bob", ""))},
		"itself":       learntLink("bob", "peer = \"alice\"\n"),
		"torn":         {Name: "links.d/bob.toml", Data: []byte(linkText("bob", ""))[:30]},
	} {
		if _, err := provision.LoadWith(path, []provision.Source{s}); err == nil || !strings.Contains(err.Error(), "links.d/bob.toml:") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestT39_LearntText: whatever a peer is called, what is written is read back as the same link and
// nothing else.
func TestT39_LearntText(t *testing.T) {
	own := provision.Node{Name: "alice"}
	rapid.Check(t, func(t *rapid.T) {
		l := provision.Link{
			Name: "bob", Peer: rapid.StringN(1, 40, 128).Draw(t, "peer"), Service: "ip", MTU: 1396, Learnt: true,
			Pin: policy.Fingerprint(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "pin")), Signalling: policy.DefaultSignalling(), UserPlane: policy.DefaultUserPlane(),
		}
		if l.Peer == own.Name {
			return
		}
		if rapid.Bool().Draw(t, "endpoint") {
			l.Endpoint = netip.MustParseAddrPort("[2001:db8::1]:33536")
		}
		if rapid.Bool().Draw(t, "addresses") {
			l.Addresses = []netip.Prefix{netip.MustParsePrefix("fd05::1/128"), netip.MustParsePrefix("10.5.0.1/32")}
			l.Allowed = []netip.Prefix{netip.MustParsePrefix("fd05::2/128")}
		}
		text := provision.Text(l, "by an invite")
		got, err := provision.Learn(own, nil, provision.Source{Name: "links.d/bob.toml", Data: text})
		if diff := cmp.Diff(l, got, comparable); err != nil || diff != "" {
			t.Fatalf("%v\n%s\n%s", err, diff, text)
		}
		if _, err := provision.Learn(own, []provision.Link{l}, provision.Source{Name: "links.d/bob.toml", Data: text}); err == nil {
			t.Fatal("the same link twice")
		}
	})
}

// TestTrust: a key is given by a pin or comes at the first use, never both and never neither.
func TestTrust(t *testing.T) {
	parsed := func(link string) (*provision.Provisioning, error) {
		return provision.Parse("pc5d.toml", []byte(node+"[[link]]\nname = \"bob\"\n"+link))
	}
	pin := "pin = \"" + pinOf('A').String() + "\"\n"
	for text, want := range map[string]policy.Trust{pin: policy.TrustPin, pin + "trust = \"pin\"\n": policy.TrustPin, "trust = \"first-use\"\n": policy.TrustFirstUse} {
		if p, err := parsed(text); err != nil || p.Links[0].Trust != want {
			t.Errorf("%q: %v, %v", text, p, err)
		}
	}
	for text, want := range map[string]string{
		"": "link.pin is missing", "trust = \"pin\"\n": "link.pin is missing", pin + "trust = \"first-use\"\n": "pc5d.toml:6:1: link.pin has no meaning where link.trust is \"first-use\"",
		"trust = \"firstuse\"\n": "did you mean \"first-use\"?",
	} {
		if _, err := parsed(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
