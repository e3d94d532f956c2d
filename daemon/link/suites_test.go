package link_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// suiteLists are all lists without repetition, in every order.
func suiteLists() [][]suite.ID {
	lists := [][]suite.ID{nil}
	for at := 0; at < len(lists); at++ {
		for _, id := range policy.WithAES.Suites() {
			if !slices.Contains(lists[at], id) {
				lists = append(lists, append(slices.Clone(lists[at]), id))
			}
		}
	}
	return lists[1:]
}

// TestT04_R14_EveryPairOfLists: the responder's first suite that the initiator has is what both ends
// have keys for; with nothing in common there is no link. SL-SRB2 works under it.
func TestT04_R14_EveryPairOfLists(t *testing.T) {
	for _, offered := range suiteLists() {
		for _, own := range suiteLists() {
			p := newPair(t)
			p.a.link.UserPlane.Suites, p.b.link.UserPlane.Suites = offered, own
			p.run()
			i := slices.IndexFunc(own, func(id suite.ID) bool { return slices.Contains(offered, id) })
			if i < 0 {
				wantNotAligned(t, p)
				p.close()
				continue
			}
			p.establishedWith(t, own[i], suite.AEAD)
			p.close()
		}
	}
}

func wantNotAligned(t *testing.T, p *pair) {
	t.Helper()
	var refused *link.RejectedError
	if err := p.b.machine.Failed(); !errors.As(err, &refused) || refused.Cause != pc5s.CauseSecurityPolicyNotAligned {
		t.Errorf("b: %v", err)
	}
	if p.a.installed != nil {
		t.Error("a has keys")
	}
}

// establishedWith demands a link whose ends have keys of one suite in one mode.
func (p *pair) establishedWith(t *testing.T, id suite.ID, mode suite.Mode) {
	t.Helper()
	if !p.settled() || p.a.installed == nil || p.b.installed == nil {
		t.Errorf("%s, %s: no link: %v, drops %v %v", id, mode, p.a.machine.Failed(), p.a.drops, p.b.drops)
		return
	}
	p.agree(t, "%s, %s", id, mode)
	for _, e := range []*end{p.a, p.b} {
		if i := e.installed; i.Suite != id || i.Mode != mode || len(i.Send.Key.Bytes()) != id.KeyLen() {
			t.Errorf("%s has %s, %s and a key of %d octets; want %s, %s", e.machine.Role(), i.Suite, i.Mode, len(i.Send.Key.Bytes()), id, mode)
		}
	}
}

// TestRekeyingChangesTheSuite: the form and the flags of a link stay, its suite may change.
func TestRekeyingChangesTheSuite(t *testing.T) {
	for _, id := range policy.WithAES.Suites() {
		p := newPair(t)
		p.a.link.UserPlane.Ciphering, p.b.link.UserPlane.Ciphering = policy.NotNeeded, policy.NotNeeded
		p.b.link.UserPlane.Suites = []suite.ID{id}
		p.establish(t)
		p.pass(p.a.config.Timers.RekeyEvery + p.a.config.Timers.RekeyMin)
		if p.a.rekeyed == 0 || p.b.rekeyed == 0 {
			t.Fatalf("%s: not re-keyed", id)
		}
		p.establishedWith(t, id, suite.IntegrityOnly)
		p.close()
	}
}

// TestSignallingNotCiphered_T51: with signalling ciphering off SL-SRB2 is readable in the record form, and
// still authentic.
func TestSignallingNotCiphered_T51(t *testing.T) {
	for _, id := range policy.WithAES.Suites() {
		p := newPair(t)
		for _, e := range []*end{p.a, p.b} {
			e.link.Signalling.Ciphering, e.link.Signalling.Ciphers = policy.NotNeeded, []nea.Ciphering{nea.NEA0}
			e.link.UserPlane.Suites = []suite.ID{id}
		}
		p.establish(t)
		p.establishedWith(t, id, suite.AEAD)
		last := p.sent[len(p.sent)-1]
		if h, _, err := underlay.Parse(last); err != nil || h.Form != underlay.FormRecord || !bytes.Contains(last, []byte("bob")) {
			t.Errorf("%s: the accept is not a readable record: %x", id, last)
		}
		p.close()
	}
}
