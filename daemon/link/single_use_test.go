package link_test

import (
	"testing"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
)

// TestT72_EndedBeforeTheComplete: the key was forgotten, or made a link already, between B's
// command and A's complete. There is no link from it, and the next attempt authenticates in full.
func TestT72_EndedBeforeTheComplete(t *testing.T) {
	p := newPair(t)
	defer p.close()
	p.establish(t)
	p.again(t)
	p.before = func(transit) {
		if p.b.machine != nil && p.b.machine.State() == link.SecurityMode {
			p.b.kept.entries = nil
		}
	}
	p.run()
	for name, e := range map[string]*end{"a": p.a, "b": p.b} {
		if e.machine.State() != link.Released || e.installed != nil {
			t.Errorf("%s is %v, failed %v", name, e.machine.State(), e.machine.Failed())
		}
	}
	if rejected, ok := p.a.machine.Failed().(*link.RejectedError); !ok || rejected.Cause != pc5s.CauseAuthenticationFailure {
		t.Errorf("a was told %v", p.a.machine.Failed())
	}
	if len(p.a.kept.entries)+len(p.b.kept.entries) != 0 {
		t.Error("an end keeps a key of a link that never was")
	}
	p.before = nil
	p.again(t)
	p.establish(t)
	if p.messages(t)[pc5s.MessageDirectLinkAuthenticationRequest] == 0 {
		t.Error("the second attempt did not authenticate in full")
	}
}

// TestT72_StaleKeyAtA: A's store came back from an older disk, so A names a key twice. B has ended
// it: no error, but full authentication.
func TestT72_StaleKeyAtA(t *testing.T) {
	p := newPair(t)
	defer p.close()
	p.establish(t)
	stale := owned(p.a.kept.entries[0])
	p.again(t)
	p.establish(t)
	p.again(t)
	p.a.kept.entries = []link.KeptKey{stale}
	p.establish(t)
	if p.messages(t)[pc5s.MessageDirectLinkAuthenticationRequest] == 0 {
		t.Error("a key served twice")
	}
}
