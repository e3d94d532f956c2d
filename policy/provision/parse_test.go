package provision_test

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pelletier/go-toml/v2"

	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/policy"
	"pc5d/policy/provision"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var comparable = cmp.Options{cmpopts.EquateComparable(netip.AddrPort{}, netip.Prefix{})}

func pinOf(b byte) (f policy.Fingerprint) {
	for i := range f {
		f[i] = b
	}
	return f
}

func TestParseGood(t *testing.T) {
	data, err := os.ReadFile("testdata/good.toml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := provision.Parse("/etc/pc5/pc5d.toml", data)
	if err != nil {
		t.Fatalf("a good file was refused:\n%v", err)
	}
	signalling := policy.DefaultSignalling()
	signalling.Ciphering = policy.Required
	signalling.Ciphers = []nea.Ciphering{nea.NEA2}
	userPlane := policy.DefaultUserPlane()
	userPlane.Ciphering, userPlane.Suites = policy.Preferred, []suite.ID{suite.AES128GCM}
	want := &provision.Provisioning{
		Node: provision.Node{Name: "alice", Identity: "/etc/pc5/identity.pem", Listen: netip.MustParseAddrPort("[::]:33536"), Mark: 0x5043},
		Links: []provision.Link{{
			Name: "bob", Peer: "bob", Service: "ip", Pin: pinOf('A'),
			Endpoint:   netip.MustParseAddrPort("192.0.2.2:33536"),
			Addresses:  []netip.Prefix{netip.MustParsePrefix("10.7.0.1/24"), netip.MustParsePrefix("fd07::1/64")},
			Allowed:    []netip.Prefix{netip.MustParsePrefix("10.7.0.0/24"), netip.MustParsePrefix("fd07::/64")},
			MTU:        1396,
			Signalling: policy.DefaultSignalling(), UserPlane: policy.DefaultUserPlane(),
		}, {
			Name: "hub", Peer: "Zürich gateway", Service: "video", Pin: pinOf('B'),
			Allowed:    []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")},
			MTU:        1300,
			CopyDSCP:   true,
			Signalling: signalling, UserPlane: userPlane,
		}},
	}
	if diff := cmp.Diff(want, got, comparable); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
	if name := got.Links[0].Interface(); name != "pc5-bob" {
		t.Errorf("interface is %q, want pc5-bob", name)
	}
}

// TestParseTimers reads every key of timers, re-keying and privacy, some at their bounds.
func TestParseTimers(t *testing.T) {
	data, err := os.ReadFile("testdata/good_timers.toml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := provision.Parse("pc5d.toml", data)
	if err != nil {
		t.Fatalf("a good file was refused:\n%v", err)
	}
	ms := time.Millisecond
	timers := provision.Timers{Profile: provision.ProfileStandard, Repeats: 32, First: map[string]time.Duration{
		"t5080": 10 * ms, "t5081": time.Minute, "t5082": 1500 * ms, "t5083": 300 * ms, "t5085": 300 * ms,
		"t5087": 300 * ms, "t5089": 300 * ms, "t5091": 300 * ms, "t5092": 300 * ms,
	}}
	if diff := cmp.Diff(timers, p.Node.Timers); diff != "" {
		t.Errorf("node.timers (-want +got):\n%s", diff)
	}
	type part struct {
		KeepAlive, Inactivity time.Duration
		Rekey                 provision.Rekey
		Privacy               provision.Privacy
	}
	for i, want := range []part{
		{90 * time.Second, 10 * time.Minute, provision.Rekey{Time: time.Hour, Packets: 1_000_000, Bytes: 10e9}, provision.Privacy{Identity: true, Update: 5 * time.Minute, Port: true}},
		{time.Second, 24 * time.Hour, provision.Rekey{Time: 10 * time.Second, Packets: 1000, Bytes: 1e6}, provision.Privacy{Update: 24 * time.Hour}},
		{0, 0, provision.Rekey{Bytes: 1_500_000_000_001}, provision.Privacy{}},
	} {
		l := p.Links[i]
		if diff := cmp.Diff(want, part{l.KeepAlive, l.Inactivity, l.Rekey, l.Privacy}); diff != "" {
			t.Errorf("link %s (-want +got):\n%s", l.Name, diff)
		}
	}
}

// TestDiagnostics_R09_T02_T07_T62 holds every diagnostic of the wrong files against their goldens.
func TestDiagnostics_R09_T02_T07_T62(t *testing.T) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		if strings.HasPrefix(filepath.Base(file), "good") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = provision.Parse(filepath.Base(file), data)
			if _, ok := errors.AsType[provision.Diagnostics](err); !ok {
				t.Fatalf("got error %v, want Diagnostics", err)
			}
			golden(t, strings.TrimSuffix(file, ".toml")+".golden", err.Error()+"\n")
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// TestWordsReachNamedTypes guards against versions of the TOML library that skip UnmarshalText
// on named types (2.4.0 to 2.4.3): then a word of the operator would silently be the default.
func TestWordsReachNamedTypes(t *testing.T) {
	text := `
requirement = "preferred"
form = "pdcp"
profile = "standard"
fingerprint = "` + pinOf('A').String() + `"
ciphers = ["nea2"]
integrities = ["nia2"]
suites = ["aes-128-gcm"]
`
	type words struct {
		Requirement policy.Requirement
		Form        policy.Form
		Profile     provision.Profile
		Fingerprint policy.Fingerprint
		Ciphers     []nea.Ciphering
		Integrities []nea.Integrity
		Suites      []suite.ID
	}
	var got words
	if err := toml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("the library does not call UnmarshalText: %v", err)
	}
	want := words{policy.Preferred, policy.FormPDCP, provision.ProfileStandard, pinOf('A'), []nea.Ciphering{nea.NEA2}, []nea.Integrity{nea.NIA2}, []suite.ID{suite.AES128GCM}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
	if err := toml.Unmarshal([]byte(`requirement = "sometimes"`), &got); err == nil {
		t.Error("the library took a word that UnmarshalText refuses")
	}
}

// TestNullIsAskedForInWriting_T02: null integrity is offered only after two written words.
func TestNullIsAskedForInWriting_T02(t *testing.T) {
	head := "[node]\nname=\"a\"\nidentity=\"k\"\n[[link]]\nname=\"b\"\npin=\"" + pinOf('A').String() + "\"\n[link.signalling]\n"
	for _, test := range []struct {
		name, text  string
		ciphers     []nea.Ciphering
		integrities []nea.Integrity
	}{
		{"default", "", []nea.Ciphering{nea.NEA2, nea.NEA0}, []nea.Integrity{nea.NIA2}},
		{"a list changes no word", `algorithms=["nea0","nea2","nia2"]`, []nea.Ciphering{nea.NEA2, nea.NEA0}, []nea.Integrity{nea.NIA2}},
		{"required ciphering", `ciphering="required"`, []nea.Ciphering{nea.NEA2}, []nea.Integrity{nea.NIA2}},
		{"the switch alone", `allow_null=true`, []nea.Ciphering{nea.NEA2, nea.NEA0}, []nea.Integrity{nea.NIA2}},
		{"switch and word", "allow_null=true\nintegrity=\"preferred\"", []nea.Ciphering{nea.NEA2, nea.NEA0}, []nea.Integrity{nea.NIA2, nea.NIA0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := provision.Parse("pc5d.toml", []byte(head+test.text))
			if err != nil {
				t.Fatal(err)
			}
			s := p.Links[0].Signalling
			if diff := cmp.Diff(test.ciphers, s.Ciphers); diff != "" {
				t.Errorf("ciphers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.integrities, s.Integrities); diff != "" {
				t.Errorf("integrities (-want +got):\n%s", diff)
			}
		})
	}
}

// bounded holds an accepted provisioning against the bounds of timers and privacy.
func bounded(t *testing.T, p *provision.Provisioning) {
	within := func(what string, d, least, most time.Duration) {
		if d != 0 && (d < least || d > most) {
			t.Errorf("accepted %s %v, bounds are %v to %v", what, d, least, most)
		}
	}
	for key, first := range p.Node.Timers.First {
		within(key, max(first, 1), 10*time.Millisecond, time.Minute) // none is 0
	}
	if n := p.Node.Timers.Repeats; n < 0 || n > 32 {
		t.Errorf("accepted %d repeats", n)
	}
	for _, l := range p.Links {
		within("keepalive", l.KeepAlive, time.Second, 24*time.Hour)
		within("inactivity", l.Inactivity, 10*time.Second, 24*time.Hour)
		within("rekey.time", l.Rekey.Time, 10*time.Second, time.Hour)
		within("privacy.update", l.Privacy.Update, 10*time.Second, 24*time.Hour)
		if k := l.Rekey; k.Packets != 0 && k.Packets < 1000 || k.Bytes != 0 && k.Bytes < 1e6 {
			t.Errorf("accepted rekey limits %+v", k)
		}
		if l.Privacy != (provision.Privacy{}) && l.Signalling.Ciphering != policy.Required {
			t.Errorf("accepted privacy %+v with signalling ciphering %q", l.Privacy, l.Signalling.Ciphering)
		}
		if l.Privacy.Port && l.Privacy.Update == 0 {
			t.Error("accepted privacy.port without update")
		}
	}
}

// FuzzParse: no input panics, what is accepted is within its bounds, and a refusal is always diagnostics inside the file.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.toml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("[[link]]\naddresses = [[1], {a = 2}, 1979-05-27, inf, 0x1f, '''x''', \"\"]\n\"a.b\".c = true"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := provision.Parse("f.toml", data)
		if err == nil {
			if p.Node.Name == "" || len(p.Node.Name) > 128 {
				t.Errorf("accepted node name %q", p.Node.Name)
			}
			bounded(t, p)
			return
		}
		diagnostics, ok := errors.AsType[provision.Diagnostics](err)
		if !ok || len(diagnostics) == 0 {
			t.Fatalf("error is %T, want Diagnostics", err)
		}
		lines := strings.Split(string(data), "\n")
		for _, d := range diagnostics {
			if d.Line < 1 || d.Line > len(lines) || d.Column < 1 || d.Column > len(lines[d.Line-1])+1 {
				t.Errorf("%v is outside the file", d)
			}
		}
	})
}

// TestConsentInWriting_T56: user data without integrity takes two written words.
func TestConsentInWriting_T56(t *testing.T) {
	head := "[node]\nname=\"a\"\nidentity=\"k\"\n[[link]]\nname=\"b\"\npin=\"" + pinOf('A').String() + "\"\n[link.user_plane]\n"
	for text, want := range map[string]bool{
		"":                       false,
		`integrity="preferred"`:  false,
		`ciphering="not-needed"`: false,
		`allow_unprotected=true`: true,
		"allow_unprotected=true\nintegrity=\"not-needed\"\nciphering=\"not-needed\"": true,
	} {
		p, err := provision.Parse("pc5d.toml", []byte(head+text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := p.Links[0].UserPlane.Permit(false) == nil; got != want {
			t.Errorf("%q: permits no integrity: %v, want %v", text, got, want)
		}
	}
	if _, err := provision.Parse("pc5d.toml", []byte(head+`integrity="not-needed"`)); err == nil {
		t.Error("no integrity without consent was accepted")
	}
}
