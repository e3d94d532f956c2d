package pc5s_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"pc5d/daemon/pc5s"
)

// TestErrorHandling is the table of TS 24.554, 9.3 and TS 24.587, 6A, in its order. Rules that
// need to know the procedure are the link's: here such a message parses.
func TestErrorHandling(t *testing.T) {
	const (
		user     = "0400000100"
		mandated = "0100" + user + "028080" + "00" // of an establishment request
		nonce    = "53" + "000102030405060708090a0b0c0d0e0f"
		flows    = "0006012041010101"
	)
	for _, c := range []struct {
		rule, name, in string
		kind           pc5s.Kind // 0: it parses
		want           string    // octets of what was understood; "": in
	}{
		{"shorter than a complete message type", "empty", "", pc5s.TooShort, ""},
		{"unknown or unimplemented message type", "reserved", "0000", pc5s.UnknownType, ""},
		{"unknown or unimplemented message type", "of relays", "1800", pc5s.UnknownType, ""},
		{"unknown or unimplemented message type", "last", "ff00", pc5s.UnknownType, ""},
		{"not defined in this direction", "the link's", "0200" + user + flows + "00", 0, ""},
		{"not fitting the procedure state", "the link's", "1200", 0, ""},

		{"mandatory part", "sequence number missing", "01", pc5s.Mandatory, ""},
		{"mandatory part", "missing", "0100" + user + "028080", pc5s.Mandatory, ""},
		{"mandatory part", "all missing", "0100", pc5s.Mandatory, ""},
		{"mandatory part", "length missing", "0100" + user, pc5s.Mandatory, ""},
		{"mandatory part", "half of a length missing", "0b0000", pc5s.Mandatory, ""},
		{"mandatory part", "out of order", "0f00" + "22" + flows, pc5s.Mandatory, ""},
		{"mandatory part", "empty", "010000" + "028080" + "00", pc5s.Mandatory, ""},
		{"mandatory part", "too short", "0100" + user + "0180" + "00", pc5s.Mandatory, ""},
		{"mandatory part", "fixed length too short", "0a00000000", pc5s.Mandatory, ""},
		{"mandatory part", "past the end", "0100ff0000", pc5s.Mandatory, ""},
		{"mandatory part", "two-octet length past the end", "0b00ffff00", pc5s.Mandatory, ""},
		{"mandatory part", "user info is not UTF-8", "010001ff" + "028080" + "00", pc5s.Mandatory, ""},
		{"mandatory part", "QoS flows cut", "0f00" + "0005" + "0120410101" + "00", pc5s.Mandatory, ""},

		{"unknown IE, comprehension required", "first IE", mandated + "0f00", pc5s.Comprehension, ""},
		{"unknown IE, comprehension required", "behind a known one", mandated + "280141" + "0000", pc5s.Comprehension, ""},
		{"unknown IE, comprehension required", "in a message without optional IEs", "1200" + "0100", pc5s.Comprehension, ""},
		{"other unknown IE", "TLV", mandated + "3e0100" + "280141", 0, mandated + "280141"},
		{"other unknown IE", "TLV-E", mandated + "7f000100" + "280141", 0, mandated + "280141"},
		{"other unknown IE", "one octet", mandated + "a1" + "280141", 0, mandated + "280141"},
		{"other unknown IE", "known in another message", mandated + "5501aa" + "280141", 0, mandated + "280141"},
		{"other unknown IE", "back-off timer of a release", "07000d1234" + "3701aa", 0, "07000d1234"},
		{"IE out of sequence", "MSB before Nonce_1", mandated + "5409" + nonce, 0, mandated + "5409"},
		{"IE out of sequence", "one in its place follows", mandated + "5409" + nonce + "280141", 0, mandated + "5409280141"},
		{"repeated IE", "at once", mandated + "280141" + "280142", 0, mandated + "280141"},
		{"repeated IE", "after another", mandated + "5409" + "280141" + "540a", 0, mandated + "5409280141"},
		{"repeated IE", "the first is wrong", mandated + "2801ff" + "280142", 0, mandated},
		{"syntactically wrong optional IE", "not UTF-8", mandated + "2801ff", 0, mandated},
		{"syntactically wrong optional IE", "empty", mandated + "2800", 0, mandated},
		{"syntactically wrong optional IE", "QoS flows", "0500" + "790003" + "012041", 0, "0500"},
		{"syntactically wrong optional IE", "ProSe identifiers", mandated + "7a0004" + "00000001", 0, mandated},

		{"conditional IE missing", "the link's", "0e0022" + "028080" + "00", 0, ""},
		{"conditional IE unexpected", "the link's", "0e0000" + "028080" + "00" + nonce, 0, ""},

		{"reserved value", "signalling integrity policy", "0100" + user + "028080" + "07", pc5s.Reserved, ""},
		{"reserved value", "signalling ciphering policy", "0100" + user + "028080" + "70", pc5s.Reserved, ""},
		{"reserved value", "user plane policy", "0f00" + flows + "77", pc5s.Reserved, ""},
		{"reserved value", "user plane configuration", "0200" + user + flows + "70", pc5s.Reserved, ""},
		{"reserved value", "ciphering algorithm", "0e0082" + "028080" + "00", pc5s.Reserved, ""},
		{"reserved value", "integrity algorithm", "0e002f" + "028080" + "00", pc5s.Reserved, ""},
		{"reserved value", "modification 0", "040000", pc5s.Reserved, ""},
		{"reserved value", "modification 6", "040006", pc5s.Reserved, ""},
		{"reserved value", "operation of a mandatory QoS flow", "0f00" + "0003" + "01e000" + "00", pc5s.Reserved, ""},
		{"reserved value", "operation of an optional QoS flow", "0500" + "790003" + "01e000", pc5s.Reserved, ""},
		{"spare value", "policy 3 means required", "0100" + user + "028080" + "03", 0, "0100" + user + "028080" + "02"},
		{"spare value", "policy 6 means required", "0100" + user + "028080" + "66", 0, "0100" + user + "028080" + "22"},
		{"spare bits", "of policies", "0100" + user + "028080" + "99", 0, "0100" + user + "028080" + "11"},
		{"spare bits", "of a configuration", "0200" + user + flows + "99", 0, "0200" + user + flows + "11"},
		{"spare bits", "of a re-authentication indication", "1100" + "028080" + "5aff", 0, "1100" + "028080" + "5a01"},
		{"spare bits", "capabilities are echoed with theirs", "1100" + "08ffffffffffffffff", 0, ""},

		{"semantically wrong content", "the link's: ciphering without integrity", "0e0020" + "028080" + "00", 0, ""},
		{"semantically wrong content", "the link's: no layer-2 ID", "1300" + "000000" + "00", 0, ""},
		{"semantically wrong content", "the link's: unknown cause", "0300ff", 0, ""},

		{"length passes the end", "TLV", mandated + "2802" + "41", pc5s.PastTheEnd, ""},
		{"length passes the end", "TLV-E", mandated + "740002" + "41", pc5s.PastTheEnd, ""},
		{"length passes the end", "TV", mandated + "53" + "00", pc5s.PastTheEnd, ""},
		{"length passes the end", "TLV without a length", mandated + "28", pc5s.PastTheEnd, ""},
		{"length passes the end", "TLV-E with half a length", mandated + "7400", pc5s.PastTheEnd, ""},
		{"length passes the end", "unknown TLV", mandated + "3e02" + "00", pc5s.PastTheEnd, ""},
		{"length passes the end", "unknown TLV-E", mandated + "7f0002" + "00", pc5s.PastTheEnd, ""},
		{"longer than defined", "capabilities of nine octets", "1100" + "09f0f0e00000000000ff", 0, "1100" + "08f0f0e00000000000"},
		{"longer than defined", "user info of 255 octets", mandated + "28ff" + strings.Repeat("41", 255), 0, mandated + "28fc" + strings.Repeat("41", 252)},
		{"longer than defined", "user info cut inside a character", mandated + "28fd" + strings.Repeat("41", 251) + "c3a9", 0, mandated},

		{"release accept", "without a cause", "08005678", 0, ""},
		{"release accept", "with a cause", "0800025678", 0, "08005678"},
		{"release accept", "too short", "080056", pc5s.Mandatory, ""},
		{"release accept", "with an IE", "08005678" + "3e00", 0, "08005678"},
		{"too many IEs", "64", mandated + strings.Repeat("a1", 63) + "280141", 0, mandated + "280141"},
		{"too many IEs", "65", mandated + strings.Repeat("a1", 65), pc5s.TooMany, ""},
	} {
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			in, err := hex.DecodeString(c.in)
			if err != nil {
				t.Fatal(err)
			}
			m, err := pc5s.Parse(in)
			if c.kind != 0 {
				var e *pc5s.Error
				if m != nil || !errors.As(err, &e) || e.Kind != c.kind {
					t.Fatalf("got %v, %v, want %v", m, err, c.kind)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := c.want
			if want == "" {
				want = c.in
			}
			if got := hex.EncodeToString(pc5s.Marshal(m)); got != want {
				t.Errorf("understood %s, want %s", got, want)
			}
		})
	}
}

// TestIEIClasses: an unknown IE of each IEI is skipped by its class, and the known one behind it
// is read (TS 24.007, 11.2).
func TestIEIClasses(t *testing.T) {
	known := []byte{0x55, 0, 0, 0, 60} // maximum inactivity period
	for iei := range 256 {
		var ie []byte
		kind := pc5s.PastTheEnd // when its last octet is missing
		switch {
		case iei == 0x55:
			continue
		case iei >= 0x80:
			ie, kind = []byte{byte(iei)}, 0
		case iei >= 0x70:
			ie = append([]byte{byte(iei), 1, 0}, make([]byte, 256)...)
		default:
			ie = []byte{byte(iei), 3, 1, 2, 3}
		}
		if iei < 0x10 {
			kind = pc5s.Comprehension
		}
		head := []byte{byte(pc5s.MessageDirectLinkKeepaliveRequest), 0, 0, 0, 0, 7}
		m, err := pc5s.Parse(slices.Concat(head, ie, known))
		if iei < 0x10 {
			if e := (*pc5s.Error)(nil); !errors.As(err, &e) || e.Kind != pc5s.Comprehension {
				t.Errorf("IEI %02x: %v", iei, err)
			}
		} else if request, ok := m.(*pc5s.DirectLinkKeepaliveRequest); !ok || request.MaximumInactivityPeriod == nil || *request.MaximumInactivityPeriod != 60 {
			t.Errorf("IEI %02x: %v, %v", iei, m, err)
		}
		_, err = pc5s.Parse(slices.Concat(head, ie[:len(ie)-1]))
		if e := (*pc5s.Error)(nil); kind != 0 && (!errors.As(err, &e) || e.Kind != kind) || kind == 0 && err != nil {
			t.Errorf("IEI %02x cut: %v, want %v", iei, err, kind)
		}
	}
}

// TestLongestMessage: 8192 octets are read, one more is not.
func TestLongestMessage(t *testing.T) {
	m := &pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: bytes.Repeat([]byte{1}, pc5s.MaxLen-4)}
	got, err := pc5s.Parse(pc5s.Marshal(m))
	if err != nil || !bytes.Equal(got.(*pc5s.DirectLinkAuthenticationRequest).KeyEstablishmentInfo, m.KeyEstablishmentInfo) {
		t.Errorf("%d octets: %v", pc5s.MaxLen, err)
	}
	m.KeyEstablishmentInfo = append(m.KeyEstablishmentInfo, 1)
	_, err = pc5s.Parse(pc5s.Marshal(m))
	if e := (*pc5s.Error)(nil); !errors.As(err, &e) || e.Kind != pc5s.TooLong {
		t.Errorf("%d octets: %v", pc5s.MaxLen+1, err)
	}
}

// TestErrorText: an error names the message, the rule and the IE.
func TestErrorText(t *testing.T) {
	for in, want := range map[string]string{
		"\x01\x00": "pc5s: DIRECT LINK ESTABLISHMENT REQUEST: mandatory IE missing or wrong: source user info",
		"\x7f\x00": "pc5s: message type 0x7f: unknown message type",
		"":         "pc5s: message too short",
	} {
		if _, err := pc5s.Parse([]byte(in)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
