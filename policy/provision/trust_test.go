package provision_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pc5d/policy"
	"pc5d/policy/provision"
)

// TestParseTrust reads every key of trust; relative paths are those of the file's directory.
func TestParseTrust(t *testing.T) {
	p, err := provision.Parse("/etc/pc5/pc5d.toml", []byte(`[node]
name = "alice"
identity = "identity.pem"
certificate = "alice.crt"
ca = ["fleet.crt", "/srv/other.crt"]
crl = ["fleet.crl"]
deny = ["`+pinOf('C').String()+`"]
[[link]]
name = "bob"
trust = "ca"
[[link]]
name = "bobvideo"
peer = "bob"
service = "video"
trust = "ca"
[[link]]
name = "carol"
trust = "pin"
pin = "`+pinOf('A').String()+`"
`))
	if err != nil {
		t.Fatal(err)
	}
	n := p.Node
	if diff := cmp.Diff([]string{"/etc/pc5/alice.crt", "/etc/pc5/fleet.crt", "/srv/other.crt", "/etc/pc5/fleet.crl"}, append(append([]string{n.Certificate}, n.CA...), n.CRL...)); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	if len(n.Deny) != 1 || n.Deny[0] != pinOf('C') {
		t.Errorf("denied %v", n.Deny)
	}
	for i, want := range []policy.Trust{policy.TrustCA, policy.TrustCA, policy.TrustPin} {
		if l := p.Links[i]; l.Trust != want || (l.Pin == policy.Fingerprint{}) != (want == policy.TrustCA) {
			t.Errorf("link %s: trust %v, pin %v", l.Name, l.Trust, l.Pin)
		}
	}
}
