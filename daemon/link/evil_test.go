package link_test

import (
	"bytes"
	"errors"
	"testing"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// at brings a pair to a moment of docs/states.md.
func at(t testing.TB, name string) *scene {
	t.Helper()
	return prepared(t, name, func(*pair) {})
}

// prepared does so after a change of the pair.
func prepared(t testing.TB, name string, change func(*pair)) *scene {
	t.Helper()
	for _, m := range moments() {
		if m.name == name {
			return stage(t, moment{name, func(t testing.TB, p *pair) *end { change(p); return m.set(t, p) }})
		}
	}
	t.Fatalf("there is no moment %q", name)
	return nil
}

// TestT03_EvilAccept: all user-plane configurations that an accept can bring, against all
// policies of the initiator. Whatever breaks its policy, or has no integrity without consent, is released with
// cause 111 before there are user-plane keys.
func TestT03_EvilAccept(t *testing.T) {
	words := []policy.Requirement{policy.NotNeeded, policy.Preferred, policy.Required}
	admitted := 0
	for c := range 4 {
		configuration := pc5s.UserPlaneConfiguration{Integrity: c&1 != 0, Ciphering: c&2 != 0}
		for _, integrity := range words {
			for _, ciphering := range words {
				s := prepared(t, "security_mode B", func(p *pair) {
					p.a.link.UserPlane.Protection = policy.Protection{Integrity: integrity, Ciphering: ciphering}
				})
				s.subject, s.peer = s.a, s.b
				accept := s.fitting(t, pc5s.MessageDirectLinkEstablishmentAccept).(*pc5s.DirectLinkEstablishmentAccept)
				accept.UserPlane = configuration
				sent, err := s.put(s.b.machine.SpeakNewest(accept))
				if err != nil {
					t.Fatalf("%v against %v, %v: %v", configuration, integrity, ciphering, err)
				}
				contradicts := ciphering == policy.NotNeeded && configuration.Ciphering || ciphering == policy.Required && !configuration.Ciphering
				if configuration.Integrity && integrity != policy.NotNeeded && !contradicts {
					admitted++
					if s.a.machine.State() != link.Established {
						t.Errorf("%v against %v, %v: %v", configuration, integrity, ciphering, s.a.machine.State())
					}
					s.close()
					continue
				}
				if s.a.machine.State() != link.Releasing || s.a.installed != nil || s.a.plane.sends != nil || len(sent) != 1 {
					t.Fatalf("%v against %v, %v: %v, keys %v", configuration, integrity, ciphering, s.a.machine.State(), s.a.installed != nil)
				}
				msg, _, err := s.b.machine.Read(sent[0])
				if r, ok := msg.(*pc5s.DirectLinkReleaseRequest); !ok || r.Cause != pc5s.CauseProtocolError {
					t.Errorf("%v against %v, %v: answered by %v, %v", configuration, integrity, ciphering, msg, err)
				}
				s.close()
			}
		}
	}
	if admitted != 8 {
		t.Errorf("%d of 36 were admitted", admitted)
	}
}

// TestR10_T02_NullIntegrityChosen: an evil responder with valid credentials chooses null
// integrity, with and without null ciphering. The command is dropped; the genuine one wins.
func TestR10_T02_NullIntegrityChosen(t *testing.T) {
	for _, ciphering := range []nea.Ciphering{nea.NEA0, nea.NEA2} {
		s := at(t, "auth A, command due")
		d, err := s.b.machine.CommandWith(s.now, func(c *pc5s.DirectLinkSecurityModeCommand) {
			c.Selected = pc5s.SelectedAlgorithms{Ciphering: ciphering, Integrity: nea.NIA0}
		})
		if err != nil {
			t.Fatal(err)
		}
		if sent, err := s.put(d); err != link.DropUnverified || len(sent) != 0 || s.a.machine.State() != link.Auth {
			t.Errorf("%v: %v, %v, %d sent", ciphering, err, s.a.machine.State(), len(sent))
		}
		if _, err := s.put(s.b.machine.Again(pc5s.MessageDirectLinkSecurityModeCommand)); err != nil || s.a.machine.State() != link.AwaitAccept {
			t.Errorf("%v: the genuine command: %v, %v", ciphering, err, s.a.machine.State())
		}
		s.close()
	}
}

// TestR15_T01_P3_EchoUnderMAC: a responder with valid keys echoes other capabilities or another policy
// than were sent, or chooses what was not offered: a request altered on its way would look like
// this if its hash did not make other keys. The initiator answers with cause 8 or 10, in clear,
// and gives the attempt up.
func TestR15_T01_P3_EchoUnderMAC(t *testing.T) {
	type change struct {
		name  string
		cause pc5s.Cause
		alter func(*pc5s.DirectLinkSecurityModeCommand)
	}
	changes := []change{
		{"short capabilities", pc5s.CauseCapabilitiesMismatch, func(c *pc5s.DirectLinkSecurityModeCommand) { c.Capabilities = c.Capabilities[:2] }},
		{"long capabilities", pc5s.CauseCapabilitiesMismatch, func(c *pc5s.DirectLinkSecurityModeCommand) { c.Capabilities = append(c.Capabilities, 0) }},
		{"no suite", pc5s.CauseSignallingPolicyMismatch, func(c *pc5s.DirectLinkSecurityModeCommand) { c.UserPlaneSuite = nil }},
	}
	for bit := range 24 {
		changes = append(changes, change{"capability bit", pc5s.CauseCapabilitiesMismatch, func(c *pc5s.DirectLinkSecurityModeCommand) { c.Capabilities[bit/8] ^= 0x80 >> (bit % 8) }})
	}
	for _, integrity := range []policy.Requirement{policy.NotNeeded, policy.Preferred, policy.Required} {
		for _, ciphering := range []policy.Requirement{policy.NotNeeded, policy.Preferred, policy.Required} {
			if p := (pc5s.SecurityPolicy{Integrity: integrity, Ciphering: ciphering}); p != pc5s.SecurityPolicy(policy.DefaultSignalling().Protection) {
				changes = append(changes, change{"policy", pc5s.CauseSignallingPolicyMismatch, func(c *pc5s.DirectLinkSecurityModeCommand) { c.SecurityPolicy = p }})
			}
		}
	}
	for _, c := range changes {
		s := at(t, "auth A, command due")
		d, err := s.b.machine.CommandWith(s.now, c.alter)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		sent, err := s.put(d)
		var rejected *link.RejectedError
		if err != nil || !errors.As(s.a.machine.Failed(), &rejected) || !rejected.Local || rejected.Cause != c.cause || s.a.installed != nil {
			t.Errorf("%s: %v, %v, %v", c.name, err, s.a.machine.State(), s.a.machine.Failed())
		}
		if len(sent) != 1 || !bytes.Equal(sent[0][underlay.HeaderLen+2:], []byte{0x10, sent[0][underlay.HeaderLen+3], byte(c.cause)}) {
			t.Errorf("%s: answered by %x", c.name, sent)
		}
		s.close()
	}
}

// TestR15_NothingBeforeTheLink: an initiator that refuses a command says nothing of a user plane,
// because nobody has been told yet which link this is.
func TestR15_NothingBeforeTheLink(t *testing.T) {
	s := at(t, "auth A, command due")
	defer s.close()
	d, err := s.b.machine.CommandWith(s.now, func(c *pc5s.DirectLinkSecurityModeCommand) { c.Capabilities[0] ^= 0x01 })
	if err != nil {
		t.Fatal(err)
	}
	s.a.machine.Receive(s.now, s.b.address, d)
	for e, ok := s.a.machine.Next(); ok; e, ok = s.a.machine.Next() {
		if removed, is := e.(link.RemoveUserPlane); is {
			t.Errorf("%v is removed, which was never installed", removed.Name)
		}
	}
	if s.a.machine.State() != link.Released {
		t.Errorf("%v", s.a.machine.State())
	}
}
