package link_test

import (
	"testing"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
)

// idOf is the K_NRP ID that stands in the establishment request of a run.
func (p *pair) idOf(t *testing.T) keys.KNRPID {
	t.Helper()
	msg, err := pc5s.Parse(p.sent[0][10:])
	if err != nil {
		t.Fatal(err)
	}
	id := msg.(*pc5s.DirectLinkEstablishmentRequest).KNRPID
	if id == nil {
		return 0
	}
	return keys.KNRPID(*id)
}

// TestT20_R13_NewNameAfterRelease: the ID of a request has no half in common with what stood in clear
// in the session before: request and accept of the release draw another one (TS 24.554, 7.2.6).
func TestT20_R13_NewNameAfterRelease(t *testing.T) {
	p := newPair(t)
	defer p.close()
	p.establish(t)
	for i := range 3 {
		before := p.a.kept.entries[0].ID
		releasing := p.a
		if i == 1 {
			releasing = p.b
		}
		p.pass(time.Second)
		releasing.machine.Release(p.now, pc5s.CauseNoLongerNeeded)
		p.drain(releasing)
		p.deliver()
		if p.a.machine.State() != link.Released || p.b.machine.State() != link.Released {
			t.Fatalf("a %v, b %v", p.a.machine.State(), p.b.machine.State())
		}
		p.again(t)
		p.establish(t)
		if id := p.idOf(t); len(p.sent) != 4 || id>>16 == before>>16 && id&0xFFFF == before&0xFFFF {
			t.Errorf("%d: %d datagrams, ID %08x after %08x", i, len(p.sent), id, before)
		}
	}
}

// TestR13_ReleaseAcceptLost: the ends then know the key by different names, which costs one full
// authentication.
func TestR13_ReleaseAcceptLost(t *testing.T) {
	p := newPair(t)
	defer p.close()
	p.establish(t)
	p.pass(time.Second)
	sent := len(p.sent)
	p.lose = func(index int) bool { return index > sent }
	p.a.machine.Release(p.now, pc5s.CauseNoLongerNeeded)
	p.drain(p.a)
	p.pass(5 * time.Second)
	p.lose = nil
	p.again(t)
	p.establish(t)
	if p.messages(t)[pc5s.MessageDirectLinkAuthenticationRequest] == 0 {
		t.Error("no full authentication")
	}
}
