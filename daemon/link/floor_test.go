package link_test

import (
	"errors"
	"testing"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// TestT03_C6_EvilAccept: against each of the nine user-plane policies of the initiator a
// responder sends each of the four configurations. One that the policy does not allow is answered
// by a release with cause 111 before any key is handed out.
func TestT03_C6_EvilAccept(t *testing.T) {
	allowed := map[policy.Requirement]map[bool]bool{
		policy.Required:  {true: true, false: false},
		policy.Preferred: {true: true, false: true},
		policy.NotNeeded: {true: false, false: true},
	}
	for integrity, integrityAllowed := range allowed {
		for ciphering, cipheringAllowed := range allowed {
			for _, c := range []pc5s.UserPlaneConfiguration{{}, {Integrity: true}, {Ciphering: true}, {Integrity: true, Ciphering: true}} {
				p := newPair(t)
				p.a.link.UserPlane.Protection = policy.Protection{Integrity: integrity, Ciphering: ciphering}
				p.a.link.UserPlane.AllowUnprotected = true
				p.completed(t)
				p.b.machine.SendProtected(&pc5s.DirectLinkEstablishmentAccept{SourceUserInfo: []byte("bob"), QoSFlowDescriptions: pc5s.DefaultQoS(), UserPlane: c}, underlay.SRB2)
				p.drain(p.b)
				p.arrive()
				switch fits := integrityAllowed[c.Integrity] && cipheringAllowed[c.Ciphering]; {
				case !fits:
					wantReleased(t, p, pc5s.CauseProtocolError)
				case p.a.machine.State() != link.Established || p.a.installed == nil || p.a.installed.Mode != modeOf(c):
					t.Errorf("policy %s, %s, accept %+v: %v", integrity, ciphering, c, p.a.machine.Failed())
				}
				p.close()
			}
		}
	}
}

// wantReleased demands that the initiator gave out no keys and sent a protected release.
func wantReleased(t *testing.T, p *pair, cause pc5s.Cause) {
	t.Helper()
	if p.a.machine.State() != link.Releasing || p.a.machine.Failed() == nil || p.a.installed != nil {
		t.Errorf("policy %+v: state %v, error %v, keys %v", p.a.link.UserPlane.Protection, p.a.machine.State(), p.a.machine.Failed(), p.a.installed)
		return
	}
	m, err := p.b.machine.Hear(p.sent[len(p.sent)-1])
	if r, ok := m.(*pc5s.DirectLinkReleaseRequest); !ok || r.Cause != cause {
		t.Errorf("answered by %+v, %v", m, err)
	}
}

// TestP1_AcceptInAnotherName: an authenticated responder that calls itself something else in the
// accept gets no link.
func TestP1_AcceptInAnotherName(t *testing.T) {
	for _, name := range []string{"carol", "Bob", "bob.", "bob\x00", ""} {
		p := newPair(t)
		p.completed(t)
		p.b.machine.SendProtected(&pc5s.DirectLinkEstablishmentAccept{SourceUserInfo: []byte(name), QoSFlowDescriptions: pc5s.DefaultQoS(), UserPlane: pc5s.UserPlaneConfiguration{Integrity: true, Ciphering: true}}, underlay.SRB2)
		p.drain(p.b)
		p.arrive()
		if p.a.machine.State() == link.Established || p.a.installed != nil {
			t.Errorf("accept of %q: %v", name, p.a.machine.State())
		}
		p.close()
	}
}

// TestR15_P3_T02_T04_EvilCommand: a responder that proved its identity sends a command that
// echoes something else than the initiator sent, or chooses what was not offered or is null.
func TestR15_P3_T02_T04_EvilCommand(t *testing.T) {
	type command = pc5s.DirectLinkSecurityModeCommand
	chosen := func(s suite.ID) func(*command) { return func(c *command) { c.UserPlaneSuite = &s } }
	ciphering := func(a nea.Ciphering) func(*command) { return func(c *command) { c.Selected.Ciphering = a } }
	integrity := func(a nea.Integrity) func(*command) { return func(c *command) { c.Selected.Integrity = a } }
	type evil struct {
		name   string
		change func(*command)
		cause  pc5s.Cause // 0: dropped, nobody could make keys for it
	}
	cases := []evil{
		{"capabilities cut", func(c *command) { c.Capabilities = c.Capabilities[:2] }, pc5s.CauseCapabilitiesMismatch},
		{"capabilities longer", func(c *command) { c.Capabilities = append(c.Capabilities, 0) }, pc5s.CauseCapabilitiesMismatch},
		{"ciphering not offered", ciphering(nea.NEA0), pc5s.CauseSignallingPolicyMismatch},
		{"no suite", chosen(suite.None), pc5s.CauseSignallingPolicyMismatch},
		{"no word of a suite", func(c *command) { c.UserPlaneSuite = nil }, pc5s.CauseSignallingPolicyMismatch},
		{"null integrity", integrity(nea.NIA0), 0},
		{"null integrity and ciphering", func(c *command) { c.Selected = pc5s.SelectedAlgorithms{} }, 0},
		{"integrity not offered", integrity(nea.NIA1), pc5s.CauseSignallingPolicyMismatch},
		{"another integrity not offered", integrity(nea.NIA3), pc5s.CauseSignallingPolicyMismatch},
		{"integrity unknown", integrity(nea.NIA7), 0},
		{"another ciphering not offered", ciphering(nea.NEA3), pc5s.CauseSignallingPolicyMismatch},
		{"a third ciphering not offered", ciphering(nea.NEA1), pc5s.CauseSignallingPolicyMismatch},
		{"ciphering unknown", ciphering(nea.NEA7), 0},
		{"suite not offered", chosen(suite.AES256GCM), pc5s.CauseSignallingPolicyMismatch},
	}
	for bit := range 24 {
		cases = append(cases, evil{"a capability bit", func(c *command) { c.Capabilities[bit/8] ^= 0x80 >> (bit % 8) }, pc5s.CauseCapabilitiesMismatch})
	}
	for _, r := range []policy.Requirement{policy.NotNeeded, policy.Preferred} {
		cases = append(cases,
			evil{"integrity policy " + r.String(), func(c *command) { c.SecurityPolicy.Integrity = r }, pc5s.CauseSignallingPolicyMismatch},
			evil{"ciphering policy " + r.String(), func(c *command) { c.SecurityPolicy.Ciphering = r }, pc5s.CauseSignallingPolicyMismatch})
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t)
			defer p.close()
			p.a.link.Signalling.Ciphering = policy.Required
			p.a.link.UserPlane.Suites = []suite.ID{suite.AES128GCM}
			p.commanded(t)
			if err := p.b.machine.SendCommand(p.now, c.change); err != nil {
				t.Fatal(err)
			}
			p.drain(p.b)
			p.arrive()
			if s := p.a.machine.State(); s != link.Auth && s != link.Released || p.a.installed != nil {
				t.Fatalf("state %v", s)
			}
			if c.cause == 0 {
				return
			}
			rejected, ok := errors.AsType[*link.RejectedError](p.a.machine.Failed())
			if !ok || !rejected.Local || rejected.Cause != c.cause {
				t.Errorf("%v, want a refusal with cause %d", p.a.machine.Failed(), c.cause)
			}
			_, sdu, err := pdcp.ParseUnprotected(p.sent[len(p.sent)-1][underlay.HeaderLen:])
			if err != nil {
				t.Fatal(err)
			}
			m, err := pc5s.Parse(sdu)
			if r, ok := m.(*pc5s.DirectLinkSecurityModeReject); !ok || r.Cause != c.cause {
				t.Errorf("answered by %+v, %v; want cause %d", m, err, c.cause)
			}
		})
	}
	t.Run("an honest one", func(t *testing.T) {
		p := newPair(t)
		defer p.close()
		p.a.link.Signalling.Ciphering = policy.Required
		p.commanded(t)
		if err := p.b.machine.SendCommand(p.now, func(*command) {}); err != nil {
			t.Fatal(err)
		}
		p.passed(p.b)
		if p.a.machine.State() != link.Established {
			t.Fatalf("state %v: the other cases prove nothing", p.a.machine.State())
		}
	})
}
