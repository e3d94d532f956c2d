package link_test

import (
	"testing"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// TestR07_T11_ClearMessages: whatever is forged without a key, at any time, on any bearer, leaves
// the state as it is. A forged refusal is a hint only: the link comes up all the same.
func TestR07_T11_ClearMessages(t *testing.T) {
	p := newPair(t)
	defer p.close()
	hints := 0
	bearers := []underlay.LCID{underlay.SRB0, underlay.SRB1, underlay.SRB2, underlay.DRB}
	forge := func(to, other *end) {
		if to.machine == nil {
			return
		}
		local, peer := to.machine.LayerTwoIDs()
		state, sent := to.machine.State(), len(p.sent)
		for _, m := range clearMessages() {
			for _, bearer := range bearers {
				for _, source := range []underlay.LayerTwoID{peer, other.config.Local, underlay.Broadcast} {
					err := to.machine.Receive(p.now, other.address, forged(m, local, source, bearer))
					if err == link.DropHint {
						hints++
					}
					if _, ok := err.(link.Drop); !ok && state != link.Released {
						t.Fatalf("%s on %s in %s: taken, %v", m.Type(), bearer, state, err)
					}
					p.drain(to)
				}
			}
		}
		if got := to.machine.State(); got != state || len(p.sent) != sent {
			t.Fatalf("forged messages in %s: state %s, %d datagrams of answer", state, got, len(p.sent)-sent)
		}
	}
	seen := map[link.State]bool{}
	p.startUntil(t, "established", func() bool {
		for _, e := range []*end{p.a, p.b} {
			if e.machine != nil {
				seen[e.machine.State()] = true
			}
		}
		forge(p.a, p.b)
		forge(p.b, p.a)
		return p.settled()
	})
	p.agree(t, "with forged messages")
	if p.a.installed == nil || p.b.installed == nil {
		t.Error("no keys")
	}
	if hints == 0 {
		t.Error("no refusal was forged well enough to be a hint")
	}
	p.a.machine.Release(p.now, pc5s.CauseNoLongerNeeded)
	p.drain(p.a)
	forge(p.a, p.b)
	for _, s := range []link.State{link.Requested, link.Auth, link.SecurityMode, link.AwaitAccept, link.Established} {
		if !seen[s] {
			t.Errorf("nothing was forged in %s", s)
		}
	}
}

// TestR07_ProtectedMessages is the state table of a link whose peer holds the keys: where each
// protected message leads from each state. What is not in the table changes nothing.
func TestR07_ProtectedMessages(t *testing.T) {
	type cell struct {
		state   link.State
		message pc5s.MessageType
		bearer  underlay.LCID
	}
	// Of the end that receives: its role follows from its state.
	table := map[cell]link.State{
		{link.AwaitAccept, pc5s.MessageDirectLinkEstablishmentAccept, underlay.SRB2}:   link.Established,
		{link.AwaitAccept, pc5s.MessageDirectLinkEstablishmentReject, underlay.SRB2}:   link.Released,
		{link.AwaitAccept, pc5s.MessageDirectLinkReleaseRequest, underlay.SRB2}:        link.Released,
		{link.Established, pc5s.MessageDirectLinkReleaseRequest, underlay.SRB2}:        link.Released,
		{link.Releasing, pc5s.MessageDirectLinkReleaseRequest, underlay.SRB2}:          link.Released,
		{link.Releasing, pc5s.MessageDirectLinkReleaseAccept, underlay.SRB2}:           link.Released,
		{link.SecurityMode, pc5s.MessageDirectLinkSecurityModeComplete, underlay.SRB1}: link.Established,
	}
	reach := map[link.State]func(p *pair) (from, to *end){
		link.AwaitAccept:  func(p *pair) (*end, *end) { p.completed(t); return p.b, p.a },
		link.SecurityMode: func(p *pair) (*end, *end) { p.completed(t); return p.a, p.b },
		link.Established:  func(p *pair) (*end, *end) { p.establish(t); return p.b, p.a },
		link.Releasing: func(p *pair) (*end, *end) {
			p.establish(t)
			p.a.machine.Release(p.now, pc5s.CauseNoLongerNeeded)
			p.drain(p.a)
			p.queue = nil
			return p.b, p.a
		},
	}
	for state, bring := range reach {
		for _, m := range clearMessages() {
			for _, bearer := range []underlay.LCID{underlay.SRB1, underlay.SRB2} {
				p := newPair(t)
				from, to := bring(p)
				if to.machine.State() != state {
					t.Fatalf("brought to %s, want %s", to.machine.State(), state)
				}
				want, ok := table[cell{state, m.Type(), bearer}]
				if !ok {
					want = state
				}
				from.machine.SendProtected(m, bearer)
				p.drain(from)
				p.arrive()
				if got := to.machine.State(); got != want {
					t.Errorf("%s on %s in %s: now %s, want %s", m.Type(), bearer, state, got, want)
				}
				p.close()
			}
		}
	}
}

// TestR18_NoEarlyKeys: no user-plane keys exist before the accept at the initiator, before the
// complete at the responder; the responder receives with its keys when the accept goes out, and sends
// with them only afterwards.
func TestR18_NoEarlyKeys(t *testing.T) {
	p := newPair(t)
	defer p.close()
	p.startUntil(t, "established", func() bool {
		for _, e := range []*end{p.a, p.b} {
			if e.installed != nil && e.machine.State() != link.Established {
				t.Fatalf("keys in %s", e.machine.State())
			}
		}
		return p.settled()
	})

	q := newPair(t)
	defer q.close()
	q.startUntil(t, "completed", func() bool { return q.a.machine.State() == link.AwaitAccept })
	d := q.queue[0]
	if err := q.b.machine.Receive(q.now, d.from, d.datagram); err != nil {
		t.Fatal(err)
	}
	var sent, installed, activated int
	for n := 1; ; n++ {
		effect, ok := q.b.machine.Next()
		if !ok {
			break
		}
		switch effect.(type) {
		case link.Send:
			sent = n
		case link.InstallUserPlane:
			installed = n
		case link.ActivateUserPlane:
			activated = n
		}
	}
	if sent == 0 || installed == 0 || installed > sent || sent > activated {
		t.Errorf("accept sent as effect %d, keys installed as %d, activated as %d", sent, installed, activated)
	}
}
