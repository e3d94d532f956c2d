package pc5s_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pc5d/daemon/pc5s"
)

// foreign is an identifier under the OS Id of somebody else.
func foreign(app string) []byte {
	b := append([]byte{byte(17 + len(app))}, bytes.Repeat([]byte{0xaa}, 16)...)
	return append(append(b, byte(len(app))), app...)
}

func TestServiceName(t *testing.T) {
	ours := pc5s.ServiceIdentifier("ip")
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"ours", ours, "ip"},
		{"none", nil, ""},
		{"ours behind another's", append(foreign("maps"), ours...), "ip"},
		{"the first of two", append(pc5s.ServiceIdentifier("a"), ours...), "a"},
		{"another's", foreign("ip"), ""},
		{"cut", ours[:len(ours)-1], ""},
		{"entry without room for an OS Id", []byte{1, 0}, ""},
		{"lengths that disagree", append([]byte{byte(len(ours))}, append(bytes.Clone(ours[1:]), 0)...), ""},
		{"no name", pc5s.ServiceIdentifier(""), ""},
		{"too long a name", append([]byte{17 + 129}, append(append(bytes.Clone(ours[1:17]), 129), strings.Repeat("x", 129)...)...), ""},
		{"a name of 128", pc5s.ServiceIdentifier(strings.Repeat("x", 130)), strings.Repeat("x", 128)},
	} {
		if got := pc5s.ServiceName(c.in); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestWrongIdentifiersAreAbsent: they are optional (TS 24.554, 9.3).
func TestWrongIdentifiersAreAbsent(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		kept bool
	}{
		{"a list of two", append(foreign("maps"), pc5s.ServiceIdentifier("ip")...), true},
		{"octets left over", append(pc5s.ServiceIdentifier("ip"), 0), false},
		{"the four octets of the draft", []byte{0, 0, 0, 1}, false},
	} {
		got, err := pc5s.Parse(pc5s.Marshal(&pc5s.DirectLinkModificationRequest{Operation: pc5s.ModificationAddFlows, ProSeIdentifiers: c.in}))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if kept := got.(*pc5s.DirectLinkModificationRequest).ProSeIdentifiers; bytes.Equal(kept, c.in) != c.kept {
			t.Errorf("%s: kept %x", c.name, kept)
		}
	}
}

func TestServiceRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(0, -1, 128).Draw(t, "name")
		if got := pc5s.ServiceName(pc5s.ServiceIdentifier(name)); got != name {
			t.Fatalf("got %q, want %q", got, name)
		}
	})
}

// FuzzServiceName: nothing panics, and a name found is one that we could have sent.
func FuzzServiceName(f *testing.F) {
	f.Add(pc5s.ServiceIdentifier("ip"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if name := pc5s.ServiceName(b); name != "" && !bytes.Contains(b, pc5s.ServiceIdentifier(name)) {
			t.Fatalf("%x: %q is not in it", b, name)
		}
	})
}
