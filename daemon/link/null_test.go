package link_test

import (
	"errors"
	"testing"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/policy"
)

// TestR10_NullIsNotBuilt: where both ends wrote that they want no integrity, there is no link and a
// clear word, not one without protection.
func TestR10_NullIsNotBuilt(t *testing.T) {
	p := newPair(t)
	defer p.close()
	for _, e := range []*end{p.a, p.b} {
		e.link.Signalling = policy.Signalling{
			Protection: policy.Protection{Integrity: policy.NotNeeded, Ciphering: policy.NotNeeded}, AllowNull: true,
			Ciphers: []nea.Ciphering{nea.NEA0}, Integrities: []nea.Integrity{nea.NIA0},
		}
	}
	p.run()
	var refused *link.RejectedError
	if err := p.b.machine.Failed(); !errors.As(err, &refused) || refused.Cause != pc5s.CauseSecurityPolicyNotAligned {
		t.Errorf("b: %v", err)
	}
	if p.a.installed != nil || p.b.installed != nil {
		t.Error("keys were installed")
	}
}
