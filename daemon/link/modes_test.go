package link_test

import (
	"fmt"
	"testing"

	"pc5d/daemon/pc5s"
	"pc5d/dataplane/suite"
	"pc5d/policy"
)

// modeOf is the mode that flags of an accept stand for.
func modeOf(c pc5s.UserPlaneConfiguration) suite.Mode {
	return map[pc5s.UserPlaneConfiguration]suite.Mode{
		{Integrity: true, Ciphering: true}: suite.AEAD, {Integrity: true}: suite.IntegrityOnly, {Ciphering: true}: suite.CipheringOnly, {}: suite.Unprotected,
	}[c]
}

// TestR08_R19_FlagsObeyed: for all 9x9 pairs of policies, where both ends consent to everything, both
// have keys of the mode that the policies lead to, or there is no link.
func TestR08_R19_FlagsObeyed(t *testing.T) {
	words := []policy.Requirement{policy.Required, policy.Preferred, policy.NotNeeded}
	var all []policy.Protection
	for _, integrity := range words {
		for _, ciphering := range words {
			all = append(all, policy.Protection{Integrity: integrity, Ciphering: ciphering})
		}
	}
	for _, a := range all {
		for _, b := range all {
			p := newPair(t)
			p.a.link.UserPlane.Protection, p.b.link.UserPlane.Protection = a, b
			p.a.link.UserPlane.AllowUnprotected, p.b.link.UserPlane.AllowUnprotected = true, true
			p.run()
			integrity, ciphering, err := policy.ResolveUserPlane(b, a)
			if err != nil {
				wantNotAligned(t, p)
			} else {
				p.establishedWith(t, suite.AES128GCM, modeOf(pc5s.UserPlaneConfiguration{Integrity: integrity, Ciphering: ciphering}))
			}
			p.close()
		}
	}
}

// TestT56_ConsentOfBothEnds: user data without integrity needs the written word of both ends. Where B has
// none it refuses with cause 12; where A has none it releases, before any key is handed out.
func TestT56_ConsentOfBothEnds(t *testing.T) {
	for _, ciphering := range []policy.Requirement{policy.Required, policy.NotNeeded} {
		for _, consent := range []struct{ a, b bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
			t.Run(fmt.Sprint(ciphering, consent), func(t *testing.T) {
				p := newPair(t)
				defer p.close()
				for _, e := range []*end{p.a, p.b} {
					e.link.UserPlane.Protection = policy.Protection{Integrity: policy.NotNeeded, Ciphering: ciphering}
				}
				p.a.link.UserPlane.AllowUnprotected, p.b.link.UserPlane.AllowUnprotected = consent.a, consent.b
				p.run()
				switch {
				case !consent.b:
					wantNotAligned(t, p)
				case !consent.a:
					if p.a.installed != nil || p.a.machine.Failed() == nil {
						t.Errorf("a has keys: %v, %v", p.a.machine.State(), p.a.machine.Failed())
					}
				default:
					p.establishedWith(t, suite.AES128GCM, modeOf(pc5s.UserPlaneConfiguration{Ciphering: ciphering == policy.Required}))
				}
			})
		}
	}
}
