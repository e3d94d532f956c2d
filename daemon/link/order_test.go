package link_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

var update = flag.Bool("update", false, "rewrite docs/states.md")

const statesDocument = "../../docs/states.md"

// line is a row of docs/states.md: a message, and how it comes.
type line struct {
	name string
	make func(t testing.TB, s *scene) []byte
}

// lines are every message of PC5-S in clear and protected, and the hint.
func lines() []line {
	var all []line
	for kind := pc5s.MessageDirectLinkEstablishmentRequest; kind <= pc5s.MessageDirectLinkAuthenticationFailure; kind++ {
		name := strings.TrimPrefix(kind.String(), "DIRECT LINK ")
		all = append(all,
			line{name + ", clear", func(t testing.TB, s *scene) []byte { return s.inClear(t, kind) }},
			line{name + ", protected", func(t testing.TB, s *scene) []byte { return s.protected(t, kind) }})
		if kind == pc5s.MessageDirectLinkSecurityModeReject {
			other := &pc5s.DirectLinkSecurityModeReject{SequenceNumber: 77, Cause: pc5s.CauseIntegrityFailure}
			all = append(all,
				line{name + " other cause, clear", func(_ testing.TB, s *scene) []byte { return s.clearFrom(other) }},
				line{name + " other cause, protected", func(t testing.TB, s *scene) []byte {
					if m := s.peer.machine; m != nil {
						if d := m.Speak(other); d != nil {
							return d
						}
					}
					return s.protected(t, kind)
				}})
		}
	}
	return append(all, line{"hint of an unknown link", func(_ testing.TB, s *scene) []byte {
		d := s.header(2)
		d[0] |= 2
		return d
	}})
}

// cell is what comes of a line at a moment.
func cell(t testing.TB, m moment, l line) string {
	s := stage(t, m)
	defer s.close()
	datagram := l.make(t, s)
	subject := s.subject.machine
	state, procedure := subject.State(), subject.Running()
	sent, err := s.put(datagram)
	word := "accepted"
	switch drop, ignored := err.(link.Drop); {
	case !ignored && len(sent) > 0:
		word = "answered"
	case ignored && len(sent) > 0:
		word = "again"
	case drop == link.DropHint:
		word = "hint"
	case ignored:
		word = "(" + drop.String() + ")"
	}
	if subject.State() != state {
		return fmt.Sprintf("%s > %v", word, subject.State())
	}
	if subject.Running() != procedure {
		return fmt.Sprintf("%s > %v", word, subject.Running())
	}
	return word
}

// TestR07_Order puts every message before a machine in every state and sub-state: what comes of
// it is what docs/states.md says, and that document has no other cell.
func TestR07_Order(t *testing.T) {
	columns, rows := moments(), lines()
	got := make([][]string, len(rows))
	t.Run("cells", func(t *testing.T) {
		for i, l := range rows {
			got[i] = make([]string, len(columns))
			t.Run(l.name, func(t *testing.T) {
				t.Parallel()
				for j, m := range columns {
					got[i][j] = cell(t, m, l)
				}
			})
		}
	})
	var table strings.Builder
	table.WriteString("| message |")
	for _, m := range columns {
		fmt.Fprintf(&table, " %s |", m.name)
	}
	table.WriteString("\n|" + strings.Repeat("---|", len(columns)+1) + "\n")
	for i, l := range rows {
		fmt.Fprintf(&table, "| %s | %s |\n", l.name, strings.Join(got[i], " | "))
	}
	compare(t, table.String())
}

// compare holds the table against the document, or rewrites it there.
func compare(t *testing.T, table string) {
	t.Helper()
	document, err := os.ReadFile(statesDocument)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(document), "| message |")
	if !ok {
		t.Fatalf("%s has no table", statesDocument)
	}
	if *update {
		if err := os.WriteFile(statesDocument, []byte(before+table), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := strings.Split(strings.TrimPrefix(string(document), before), "\n")
	for i, row := range strings.Split(table, "\n") {
		if i >= len(want) || row != want[i] {
			t.Errorf("the machine says\n\t%s\nand not as %s", row, statesDocument)
		}
	}
}

// TestR07_IdleHearsNothing: before its request is sent an end has nothing that could be refused.
func TestR07_IdleHearsNothing(t *testing.T) {
	s := stage(t, moments()[0])
	for _, kind := range []pc5s.MessageType{pc5s.MessageDirectLinkEstablishmentReject, pc5s.MessageDirectLinkAuthenticationReject} {
		if _, err := s.put(s.inClear(t, kind)); err != link.DropState {
			t.Errorf("%v: got %v", kind, err)
		}
	}
}

// TestR07_RefusedLeavesProcedure: a request that is refused for its content does not end the
// procedure under way, although a good one of its kind would go first.
func TestR07_RefusedLeavesProcedure(t *testing.T) {
	poor := func(s *scene) pc5s.Message {
		r, err := s.a.machine.RekeyingRequestWith(pc5s.Capabilities{0x01, 0x01})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, c := range []struct {
		name    string
		request func(s *scene) pc5s.Message
	}{
		{"update without a half", func(*scene) pc5s.Message {
			return &pc5s.DirectLinkIdentifierUpdateRequest{SequenceNumber: 77, SourceLayerTwoID: 0x0B0C0D}
		}},
		{"update to an ID in use", func(s *scene) pc5s.Message {
			return &pc5s.DirectLinkIdentifierUpdateRequest{SequenceNumber: 77, SourceLayerTwoID: s.b.config.Local, KNRPSessMSB: 7}
		}},
		{"update to no ID", func(*scene) pc5s.Message {
			return &pc5s.DirectLinkIdentifierUpdateRequest{SequenceNumber: 77, SourceLayerTwoID: underlay.Broadcast, KNRPSessMSB: 7}
		}},
		{"re-keying with nothing in common", poor},
	} {
		// B has the smaller layer-2 ID: its own procedure yields to an equal one.
		for procedure, start := range map[link.Procedure]func(s *scene) error{
			link.Modify:    func(s *scene) error { return s.b.machine.Modify(s.now, flows()) },
			link.RekeyingA: func(s *scene) error { return s.b.machine.Rekey(s.now) },
		} {
			s := at(t, "established B")
			s.command(t, s.b, func(time.Time) error { return start(s) })
			sent, err := s.put(s.a.machine.Speak(c.request(s)))
			if now := s.b.machine.Running(); now != procedure {
				t.Errorf("%s: %v became %v", c.name, procedure, now)
			}
			if err != nil && len(sent) > 0 {
				t.Errorf("%s in %v: %v, and %d sent", c.name, procedure, err, len(sent))
			}
			s.close()
		}
	}
}
