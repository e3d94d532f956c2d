package sim_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/sim"
	"pc5d/dataplane/underlay"
)

// standardWords are the provisioning of a link of the standard form.
func standardWords(form string, algorithm int, integrity, ciphering bool) string {
	words := fmt.Sprintf("user_plane.form = %q\nsignalling.algorithms = [\"nea%d\", \"nia%d\"]\n", form, algorithm, algorithm)
	if !integrity {
		words += "user_plane.allow_unprotected = true\nuser_plane.integrity = \"not-needed\"\n"
	}
	if !ciphering {
		words += "user_plane.ciphering = \"not-needed\"\n"
	}
	return words
}

// TestR08_R19_R21_P6_T54_T56_Standard: whole daemons make a link of the standard form in each mode with each
// algorithm. All user data is PDUs; packets pass, also while keys and identifiers change, and none is lost.
// What lacks something is said in status and log. No packet is readable that should not be.
func TestR08_R19_R21_P6_T54_T56_Standard(t *testing.T) {
	for algorithm := 1; algorithm <= 3; algorithm++ {
		for _, integrity := range []bool{true, false} {
			for _, ciphering := range []bool{true, false} {
				t.Run(fmt.Sprintf("%d, integrity %v, ciphering %v", algorithm, integrity, ciphering), func(t *testing.T) {
					p := newPair(t, uint64(algorithm))
					p.Trace.Logs = true
					p.alice.Timers.RekeyMin, p.bob.Timers.RekeyMin = 0, 0
					words := standardWords("pdcp", algorithm, integrity, ciphering)
					p.link.A.Words, p.link.B.Words = words, words
					p.establish()
					p.carries()
					lost := p.traffic(time.Second)
					p.link.A.Rekey()
					lost += p.traffic(2 * time.Second)
					before := names(p.link)
					for _, e := range p.link.Ends() {
						e.UpdateIdentifiers()
						lost += p.traffic(2 * time.Second)
					}
					p.link.B.Rekey()
					lost += p.traffic(2 * time.Second)
					p.carries()
					if lost != 0 {
						t.Errorf("%d packets were lost", lost)
					}
					for id := range names(p.link) {
						if before[id] {
							t.Errorf("still called %s", id)
						}
					}
					for _, e := range p.link.Ends() {
						s := e.Host.Status(e)
						u, bits := s.Protection.UserPlane, map[bool]int{true: 32}[integrity]
						if s.Rekeyings < 4 || s.Updates != 2 || u.Form != "pdcp" || u.Suite != "none" || u.TagBits != bits || u.Integrity != integrity || u.Ciphering != ciphering || u.Insecure == integrity {
							t.Errorf("%s: %+v, %d re-keyings, %d updates", e, u, s.Rekeyings, s.Updates)
						}
					}
					p.judgeForm(underlay.FormPDCP, !ciphering)
					logs, said := strings.Join(p.Trace.Lines(), "\n"), "link has the standard form"
					if !integrity {
						said = "link is INSECURE"
					}
					if n := strings.Count(logs, said); n != 2 {
						t.Errorf("said %q %d times in the logs, want 2", said, n)
					}
				})
			}
		}
	}
}

// judgeForm demands that all user data on the way had one form, and was readable or not.
func (p *pair) judgeForm(form underlay.Form, readable bool) {
	p.t.Helper()
	seen := 0
	for _, d := range p.heard() {
		if h, _, err := underlay.Parse(d.Octets); err == nil && h.LCID.UserData() {
			seen++
			if h.Form != form {
				p.t.Fatalf("user data in form %s, want %s", h.Form, form)
			}
		}
	}
	shown := slices.ContainsFunc(p.heard(), func(d sim.Datagram) bool { return bytes.Contains(d.Octets, []byte("pc5d-sim-inner-packet")) })
	if seen == 0 || shown != readable {
		p.t.Errorf("%d datagrams of user data; readable %v, want %v", seen, shown, readable)
	}
}

// TestR09_R14_C6_Forms: each form at the caller and at the other end. Where the ends have a form in common they have a
// link of it, of records where both take them. Else one end refuses and says with which cause: B a request
// without an offer (12), A a command without a choice (10); no packet passes.
func TestR09_R14_C6_Forms(t *testing.T) {
	const record, pdcp = underlay.FormRecord, underlay.FormPDCP
	for _, test := range []struct {
		a, b    string
		form    underlay.Form
		refused string // what the end says that refuses
		byA     bool
	}{
		{"record", "record", record, "", false},
		{"record", "any", record, "", false},
		{"any", "record", record, "", false},
		{"any", "any", record, "", false},
		{"any", "pdcp", pdcp, "", false},
		{"pdcp", "any", pdcp, "", false},
		{"pdcp", "pdcp", pdcp, "", false},
		{"record", "pdcp", 0, "no record suite", true},
		{"pdcp", "record", 0, "user-plane suite", false},
	} {
		t.Run(test.a+"-"+test.b, func(t *testing.T) {
			p := newPair(t, 7)
			p.link.B.Calls = false
			p.link.A.Words, p.link.B.Words = fmt.Sprintf("user_plane.form = %q\n", test.a), fmt.Sprintf("user_plane.form = %q\n", test.b)
			if test.refused == "" {
				p.establish()
				p.carries()
				p.judgeForm(test.form, false)
				return
			}
			p.link.Hopeless = true
			p.start()
			p.link.A.Up()
			by, cause := p.link.B, "security policy not aligned"
			if test.byA {
				by, cause = p.link.A, "signalling security policy mismatch"
			}
			p.within(20*time.Second, "one end refuses", func() bool { return by.Host.Status(by).LastError != "" })
			if said := by.Host.Status(by).LastError; !strings.Contains(said, test.refused) || !strings.Contains(said, cause) {
				t.Errorf("%s says %q, want %q and %q", by, said, cause, test.refused)
			}
			p.never(5*time.Second, "a link", p.link.Agreed)
			if hint := p.alice.Status(p.link.A).Hint; !test.byA && !strings.Contains(hint, cause) {
				t.Errorf("alice has the hint %q, want %q", hint, cause) // B's refusal came in clear
			}
		})
	}
}

// TestT52_T90_StandardUnderLoss: over a path that loses, doubles and reorders keys and identifiers still
// change, nothing comes twice, and the ends agree afterwards.
func TestT52_T90_StandardUnderLoss(t *testing.T) {
	seeds := 4
	if full() {
		seeds = 60
	}
	for seed := range seeds {
		p := newPair(t, uint64(seed))
		p.hasty(2 * time.Second)
		words := standardWords("pdcp", seed%3+1, true, seed%2 == 0)
		p.link.A.Words, p.link.B.Words = words, words
		p.establish()
		p.Network.Conditions = sim.Conditions{Loss: 0.3, Duplicate: 0.1, MaxDelay: 100 * time.Millisecond}
		p.traffic(10 * time.Second)
		p.link.B.UpdateIdentifiers()
		p.traffic(10 * time.Second)
		p.live()
	}
}
