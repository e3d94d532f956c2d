package provision_test

import (
	"testing"

	"pc5d/policy"
	"pc5d/policy/provision"
)

// TestP4_R12_PoliciesOfEachService: two links to one peer have policies and algorithms of their
// own, for signalling and for user data.
func TestP4_R12_PoliciesOfEachService(t *testing.T) {
	p, err := provision.Parse("pc5d.toml", []byte(node+
		linkText("plain", "peer = \"bob\"\n[link.signalling]\nciphering = \"not-needed\"\n[link.user_plane]\nciphering = \"preferred\"\n")+
		linkText("strict", "peer = \"bob\"\nservice = \"video\"\n[link.signalling]\nciphering = \"required\"\n")))
	if err != nil {
		t.Fatal(err)
	}
	plain, strict := p.Links[0], p.Links[1]
	if plain.Peer != "bob" || strict.Peer != "bob" || plain.Service != "ip" || strict.Service != "video" {
		t.Fatalf("links to %q for %q and to %q for %q", plain.Peer, plain.Service, strict.Peer, strict.Service)
	}
	for _, c := range []struct {
		name      string
		got, want policy.Protection
	}{
		{"signalling of the one", plain.Signalling.Protection, policy.Protection{Integrity: policy.Required, Ciphering: policy.NotNeeded}},
		{"signalling of the other", strict.Signalling.Protection, policy.Protection{Integrity: policy.Required, Ciphering: policy.Required}},
		{"user plane of the one", plain.UserPlane.Protection, policy.Protection{Integrity: policy.Required, Ciphering: policy.Preferred}},
		{"user plane of the other", strict.UserPlane.Protection, policy.Protection{Integrity: policy.Required, Ciphering: policy.Required}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
	if len(plain.Signalling.Ciphers) == len(strict.Signalling.Ciphers) {
		t.Errorf("both links accept %v", plain.Signalling.Ciphers)
	}
}
