package pc5s_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pc5d/daemon/pc5s"
)

// TestDiscoveryTypes goes through all 256 type octets (TS 24.554, 11.2.1): seven are
// implemented, the rest is discarded, and the error says why.
func TestDiscoveryTypes(t *testing.T) {
	implemented := map[byte]string{
		0x41: "open announcement", 0x81: "restricted announcement", 0x86: "restricted solicitation", 0x82: "restricted response",
		0x99: "group member announcement", 0x9E: "group member solicitation", 0x9A: "group member response",
	}
	contents := map[byte]bool{0: true, 1: true, 4: true, 5: true, 6: true, 7: true, 8: true}
	for octet := range 256 {
		var want pc5s.Kind
		var part string
		discovery, content, model := byte(octet>>6), byte(octet>>2&15), byte(octet&3)
		name, ok := implemented[byte(octet)]
		switch {
		case discovery == 0 || discovery == 3:
			want, part = pc5s.Reserved, "discovery type"
		case !contents[content]:
			want, part = pc5s.Reserved, "content type"
		case model == 0 || model == 3:
			want, part = pc5s.Reserved, "discovery model"
		case !ok:
			want = pc5s.UnknownType
		}
		if ok { // TestDiscoveryRoundTrip reads them
			if got := pc5s.DiscoveryMessageType(octet); !strings.HasSuffix(got.String(), name) || byte(got.DiscoveryType()) != discovery || byte(got.Content()) != content || byte(got.Model()) != model {
				t.Errorf("%02x: %s, %d, %d, %d", octet, got, got.DiscoveryType(), got.Content(), got.Model())
			}
			continue
		}
		m, err := pc5s.ParseDiscovery(append([]byte{byte(octet)}, make([]byte, 28)...))
		if e := (*pc5s.Error)(nil); m != nil || !errors.As(err, &e) || e.Kind != want || e.IE != part {
			t.Errorf("%02x: got %v, %v, want %v %s", octet, m, err, want, part)
		}
	}
}

// TestDiscoveryErrors is what the table tests do not reach.
func TestDiscoveryErrors(t *testing.T) {
	open := "41" + strings.Repeat("00", 28) // 29 octets: the shortest, and whole
	for _, c := range []struct {
		name, in string
		kind     pc5s.Kind
	}{
		{"empty", "", pc5s.TooShort},
		{"29 octets", open, 0},
		{"28 octets", open[:56], pc5s.Mandatory},
		{"metadata past the end", open + "7b000200", pc5s.PastTheEnd},
		{"comprehension required", open + "0000", pc5s.Comprehension},
		{"unknown IE skipped", open + "3e0100", 0},
		{"too long", open + strings.Repeat("a1", pc5s.MaxLen-28), pc5s.TooLong},
		{"too many IEs", open + strings.Repeat("a1", 65), pc5s.TooMany},
		{"group without a name", "9900" + strings.Repeat("00", 11), pc5s.Mandatory},
	} {
		b, err := hex.DecodeString(c.in)
		if err != nil {
			t.Fatal(err)
		}
		m, err := pc5s.ParseDiscovery(b)
		var kind pc5s.Kind
		if e := (*pc5s.Error)(nil); errors.As(err, &e) {
			kind = e.Kind
		}
		if kind != c.kind || (m == nil) != (err != nil) {
			t.Errorf("%s: got %v, %v, want %v", c.name, m, err, c.kind)
		}
	}
}

// TestDiscoveryRoundTrip: every valid message comes back as it was.
func TestDiscoveryRoundTrip(t *testing.T) {
	for i, empty := range pc5s.AllDiscoveries() {
		t.Run(empty.Type().String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				want := pc5s.AllDiscoveries()[i]
				draw(t, want)
				b := pc5s.MarshalDiscovery(want)
				got, err := pc5s.ParseDiscovery(b)
				if err != nil {
					t.Fatalf("%x: %v", b, err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%x (-want +got):\n%s", b, diff)
				}
			})
		})
	}
}

// FuzzParseDiscovery: nothing panics, and what parses means the same after a round trip.
func FuzzParseDiscovery(f *testing.F) {
	for _, m := range discoveries() {
		f.Add(pc5s.MarshalDiscovery(m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := pc5s.ParseDiscovery(b)
		if err != nil {
			return
		}
		again, err := pc5s.ParseDiscovery(pc5s.MarshalDiscovery(m))
		if err != nil {
			t.Fatalf("%x: own octets do not parse: %v", b, err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Fatalf("%x: %s", b, diff)
		}
	})
}
