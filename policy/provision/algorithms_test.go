package provision_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pc5d/dataplane/nea"
	"pc5d/policy/provision"
)

// TestR14_AlgorithmsInTheOrderOfTheList: every algorithm that is built in is accepted, in every
// place of the list; what is known but not built in is refused.
func TestR14_AlgorithmsInTheOrderOfTheList(t *testing.T) {
	link := func(list string) (*provision.Provisioning, error) {
		return provision.Parse("pc5d.toml", fmt.Appendf(nil, "[node]\nname=\"a\"\nidentity=\"k\"\n[[link]]\nname=\"b\"\npin=%q\n[link.signalling]\nciphering=\"required\"\nalgorithms=[%s]\n", pinOf('A'), list))
	}
	for _, order := range [][3]int{{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}} {
		var ciphers []nea.Ciphering
		var integrities []nea.Integrity
		list := ""
		for i, n := range order {
			ciphers, integrities = append(ciphers, nea.Ciphering(n)), append(integrities, nea.Integrity(n))
			list += fmt.Sprintf("\"nea%d\", \"nia%d\", ", n, n)
			p, err := link(list)
			if err != nil {
				t.Fatalf("%s: %v", list, err)
			}
			s := p.Links[0].Signalling
			if diff := cmp.Diff(ciphers[:i+1], s.Ciphers); diff != "" {
				t.Errorf("%s: ciphers (-want +got):\n%s", list, diff)
			}
			if diff := cmp.Diff(integrities[:i+1], s.Integrities); diff != "" {
				t.Errorf("%s: integrities (-want +got):\n%s", list, diff)
			}
		}
	}
	for n := 4; n < 8; n++ {
		for _, list := range []string{fmt.Sprintf("\"nea%d\", \"nea2\", \"nia2\"", n), fmt.Sprintf("\"nea2\", \"nia2\", \"nia%d\"", n)} {
			if _, err := link(list); err == nil {
				t.Errorf("%s was accepted", list)
			}
		}
	}
}
