package link_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// wantRefused demands that one end refused the other with a cause, and that no end has keys.
func wantRefused(t *testing.T, p *pair, by *end, cause pc5s.Cause) {
	t.Helper()
	refused, ok := errors.AsType[*link.RejectedError](by.machine.Failed())
	if !ok || !refused.Local || refused.Cause != cause {
		t.Errorf("%s: %v, want a refusal of its own with cause %d", by.machine.Role(), by.machine.Failed(), cause)
	}
	if p.a.installed != nil || p.b.installed != nil {
		t.Error("an end has keys")
	}
}

// TestR09_R14_Forms: each form at each end leads to records where both take them, else to the standard form
// where both take that, else to a refusal: B's of a request without an offer (12), A's of a command without
// a choice (10).
func TestR09_R14_Forms(t *testing.T) {
	const record, pdcp = suite.AES128GCM, suite.None
	type outcome struct {
		form suite.ID
		byA  pc5s.Cause
		byB  pc5s.Cause
	}
	forms := []policy.Form{policy.FormRecord, policy.FormAny, policy.FormPDCP}
	want := map[[2]policy.Form]outcome{
		{policy.FormRecord, policy.FormRecord}: {form: record},
		{policy.FormRecord, policy.FormAny}:    {form: record},
		{policy.FormRecord, policy.FormPDCP}:   {byA: pc5s.CauseSignallingPolicyMismatch},
		{policy.FormAny, policy.FormRecord}:    {form: record},
		{policy.FormAny, policy.FormAny}:       {form: record},
		{policy.FormAny, policy.FormPDCP}:      {form: pdcp},
		{policy.FormPDCP, policy.FormRecord}:   {byB: pc5s.CauseSecurityPolicyNotAligned},
		{policy.FormPDCP, policy.FormAny}:      {form: pdcp},
		{policy.FormPDCP, policy.FormPDCP}:     {form: pdcp},
	}
	for _, a := range forms {
		for _, b := range forms {
			t.Run(fmt.Sprint(a, "-", b), func(t *testing.T) {
				p := newPair(t)
				defer p.close()
				p.a.link.UserPlane.Form, p.b.link.UserPlane.Form = a, b
				p.run()
				offers := p.a.machine.Sent().Capabilities.Offers(suite.AES128GCM)
				if offers == (a == policy.FormPDCP) {
					t.Errorf("suites offered: %v", offers)
				}
				switch w := want[[2]policy.Form{a, b}]; {
				case w.byA > 0:
					wantRefused(t, p, p.a, w.byA)
				case w.byB > 0:
					wantRefused(t, p, p.b, w.byB)
				default:
					p.establishedWith(t, w.form, suite.AEAD)
				}
			})
		}
	}
}

// standard makes both ends take the standard form, with the algorithms of one number.
func (p *pair) standard(algorithm uint8) {
	for _, e := range []*end{p.a, p.b} {
		e.link.UserPlane.Form = policy.FormPDCP
		e.link.Signalling.Ciphers = []nea.Ciphering{nea.Ciphering(algorithm), nea.NEA0}
		e.link.Signalling.Integrities = []nea.Integrity{nea.Integrity(algorithm)}
	}
}

// TestR08_R19_StandardFlagsObeyed: in the standard form both ends have NRPEK and NRPIK of the context, under
// opposite DIRECTIONs, in the mode that the policies lead to, before and after a re-keying.
func TestR08_R19_StandardFlagsObeyed(t *testing.T) {
	words := []policy.Requirement{policy.Preferred, policy.NotNeeded}
	for algorithm := uint8(1); algorithm <= 3; algorithm++ {
		for _, integrity := range words {
			for _, ciphering := range words {
				p := newPair(t)
				p.standard(algorithm)
				for _, e := range []*end{p.a, p.b} {
					e.link.UserPlane.Protection, e.link.UserPlane.AllowUnprotected = policy.Protection{Integrity: integrity, Ciphering: ciphering}, true
				}
				p.establish(t)
				mode := modeOf(pc5s.UserPlaneConfiguration{Integrity: integrity != policy.NotNeeded, Ciphering: ciphering != policy.NotNeeded})
				p.establishedWith(t, suite.None, mode)
				first := *p.a.installed
				p.pass(p.a.config.Timers.RekeyEvery + p.a.config.Timers.RekeyMin)
				if p.a.rekeyed == 0 || p.b.rekeyed == 0 {
					t.Fatalf("%d, %s: not re-keyed", algorithm, mode)
				}
				p.establishedWith(t, suite.None, mode)
				second := *p.a.installed
				if first.NRPEK.Equal(second.NRPEK.Secret) || first.NRPIK.Equal(second.NRPIK.Secret) || second.Agreement.Ciphering != nea.Ciphering(algorithm) {
					t.Errorf("%d, %s: the re-keying made no new keys", algorithm, mode)
				}
				p.close()
			}
		}
	}
}

// TestStandardNothingCiphers_T03: where signalling is not ciphered nothing could cipher PDUs either: B refuses
// to (12) where a word requires it, and leaves it off where none does; an accept that says so is released.
func TestStandardNothingCiphers_T03(t *testing.T) {
	plain := func(t *testing.T, ciphering policy.Requirement) *pair {
		p := newPair(t)
		p.standard(2)
		for _, e := range []*end{p.a, p.b} {
			e.link.Signalling.Ciphering, e.link.Signalling.Ciphers = policy.NotNeeded, []nea.Ciphering{nea.NEA0}
			e.link.UserPlane.Ciphering = ciphering
		}
		return p
	}
	t.Run("required", func(t *testing.T) {
		p := plain(t, policy.Required)
		defer p.close()
		p.run()
		wantRefused(t, p, p.b, pc5s.CauseSecurityPolicyNotAligned)
	})
	t.Run("preferred", func(t *testing.T) {
		p := plain(t, policy.Preferred)
		defer p.close()
		p.establish(t)
		p.establishedWith(t, suite.None, suite.IntegrityOnly)
	})
	t.Run("an accept that lies", func(t *testing.T) {
		p := plain(t, policy.Required)
		defer p.close()
		p.completed(t)
		p.b.machine.SendProtected(&pc5s.DirectLinkEstablishmentAccept{
			SourceUserInfo: []byte("bob"), QoSFlowDescriptions: pc5s.DefaultQoS(), UserPlane: pc5s.UserPlaneConfiguration{Integrity: true, Ciphering: true},
		}, underlay.SRB2)
		p.drain(p.b)
		p.arrive()
		if p.a.machine.State() != link.Releasing || p.a.machine.Failed() == nil || p.a.installed != nil {
			t.Errorf("state %v, error %v, keys %v", p.a.machine.State(), p.a.machine.Failed(), p.a.installed)
		}
	})
}

// TestStandardRekeyingKeepsForm: what was agreed for user data stays, whatever an end would now take: a
// re-keying to the other form or to no ciphering does not take place, and the link goes on.
func TestStandardRekeyingKeepsForm(t *testing.T) {
	for name, change := range map[string]func(*link.Link){
		"records":      func(l *link.Link) { l.UserPlane.Form = policy.FormRecord },
		"no ciphering": func(l *link.Link) { l.Signalling.Ciphers = []nea.Ciphering{nea.NEA0} },
	} {
		p := newPair(t)
		p.standard(2)
		p.establish(t)
		change(p.b.machine.Provisioned())
		p.a.installed = nil
		p.pass(p.a.config.Timers.RekeyEvery + 10*time.Second)
		if p.a.rekeyed+p.b.rekeyed > 0 || p.a.installed != nil {
			t.Errorf("%s: re-keyed", name)
		}
		p.close()
	}
}

// TestR21_StandardJump: the COUNT of PDUs jumps at an identifier update by no more than the receiver's HFN can
// follow, that of records further.
func TestR21_StandardJump(t *testing.T) {
	for _, form := range []policy.Form{policy.FormRecord, policy.FormPDCP} {
		most := uint64(0)
		for range 8 {
			p := newPair(t)
			p.a.link.UserPlane.Form, p.b.link.UserPlane.Form = form, form
			for _, e := range []*end{p.a, p.b} {
				e.config.Timers.T5090, e.config.Timers.RekeyMin = 20*time.Second, 0
			}
			p.establish(t)
			p.pass(30 * time.Second)
			for _, e := range []*end{p.a, p.b} {
				if e.plane.skipped == 0 {
					t.Fatalf("%s: no update", form)
				}
				most = max(most, e.plane.skipped)
			}
			p.close()
		}
		if standard := form == policy.FormPDCP; standard && most > 1<<16 || !standard && most <= 1<<16 {
			t.Errorf("%s: COUNT jumps by up to %d", form, most)
		}
	}
}
