package link_test

import (
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
)

// TestRekeying_LateResponse: the complete arrives, and the response comes, later than the grace time after the
// complete was sent. What the peer sent under the old keys until then was received.
func TestRekeying_LateResponse(t *testing.T) {
	p := newPair(t)
	rested(t, p)
	defer p.close()
	p.command(t, p.a, p.a.machine.Rekey)
	p.arrive()
	p.arrive()
	late := p.queue
	back := p.now.Add(p.a.config.Timers.Grace + 500*time.Millisecond)
	p.queue, p.lose = nil, func(int) bool { return p.now.Before(back) }
	for p.now.Before(back) {
		p.pass(100 * time.Millisecond)
		p.planesFit(t)
	}
	p.queue = late
	p.pass(time.Second)
	if p.a.rekeyed != 1 || p.b.rekeyed != 1 || p.a.machine.State() != link.Established {
		t.Errorf("re-keyed %d and %d; a %v (%v)", p.a.rekeyed, p.b.rekeyed, p.a.machine.State(), p.a.machine.Failed())
	}
	p.agree(t, "late response")
}

// TestT15_StaleRequest: a copy of a request comes after its sender has given it up and gone on,
// under the same keys or after a re-keying. It starts nothing, and the link goes on.
func TestT15_StaleRequest(t *testing.T) {
	for _, kind := range []pc5s.MessageType{
		pc5s.MessageDirectLinkIdentifierUpdateRequest, pc5s.MessageDirectLinkModificationRequest, pc5s.MessageDirectLinkRekeyingRequest,
	} {
		for _, rekey := range []bool{false, true} {
			p := newPair(t)
			rested(t, p)
			s := &scene{pair: p, subject: p.a, peer: p.b}
			held := p.b.machine.Speak(s.fitting(t, kind))
			if rekey {
				p.command(t, p.b, p.b.machine.Rekey)
			} else {
				p.command(t, p.b, func(now time.Time) error { return p.b.machine.Modify(now, flows()) })
			}
			p.pass(6 * time.Second)
			if _, err := s.put(held); err != link.DropRepeated {
				t.Errorf("%v, re-keyed %v: got %v", kind, rekey, err)
			}
			p.pass(30 * time.Second)
			if p.a.machine.State() != link.Established || p.a.machine.Running() != link.NoProcedure {
				t.Errorf("%v, re-keyed %v: %v %v (%v)", kind, rekey, p.a.machine.State(), p.a.machine.Running(), p.a.machine.Failed())
			}
			p.close()
		}
	}
}

// TestT15_RepeatedAnswer: the answer to one procedure is sent again, as it is where its request
// came twice, and does not answer the next procedure.
func TestT15_RepeatedAnswer(t *testing.T) {
	modify := func(p *pair) error { return p.a.machine.Modify(p.now, flows()) }
	for _, c := range []struct {
		name   string
		start  func(p *pair) error
		answer pc5s.Message
		again  link.Procedure // runs when it comes again
	}{
		{"accept", modify, &pc5s.DirectLinkModificationAccept{SequenceNumber: 50}, link.Modify},
		{"reject", modify, &pc5s.DirectLinkModificationReject{SequenceNumber: 50, Cause: pc5s.CauseServiceNotAllowed}, link.Modify},
		{"update reject", func(p *pair) error { return p.a.machine.UpdateIdentifiers(p.now) }, &pc5s.DirectLinkIdentifierUpdateReject{SequenceNumber: 50, Cause: pc5s.CauseLayer2IDConflict}, link.UpdateInitiator},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t)
			rested(t, p)
			defer p.close()
			s := &scene{pair: p, subject: p.a, peer: p.b}
			p.command(t, p.a, func(time.Time) error { return c.start(p) })
			p.until(t, func() bool { return p.a.machine.Running() == c.again })
			if _, err := s.put(p.b.machine.Speak(c.answer)); err != nil {
				t.Fatalf("the first answer: %v", err)
			}
			if c.again == link.Modify {
				p.command(t, p.a, func(time.Time) error { return c.start(p) })
			}
			local, _, _ := p.a.machine.UpdateUnderWay()
			if _, err := s.put(p.b.machine.Speak(c.answer)); err != link.DropRepeated || p.a.machine.Running() != c.again {
				t.Errorf("the same again: %v, runs %v", err, p.a.machine.Running())
			}
			if now, _, _ := p.a.machine.UpdateUnderWay(); now != local {
				t.Errorf("the same again took %v away", local)
			}
		})
	}
}

// TestKeepAlive_InactivityStirred: what was heard counts from the last period on, also where an own
// packet or an own request asked for a sign of life meanwhile.
func TestKeepAlive_InactivityStirred(t *testing.T) {
	p := newPair(t)
	p.a.config.Timers.Inactivity = 10 * time.Second
	p.b.config.Timers.T5084 = 0
	p.establish(t)
	defer p.close()
	p.a.machine.AskAlive(p.now)
	p.drain(p.a)
	p.deliver() // b has learnt the period
	heard := uint64(0)
	for range 8 {
		p.pass(9 * time.Second)
		heard++
		p.b.machine.Heard(heard) // a spoke a second before the end
		p.pass(500 * time.Millisecond)
		p.b.machine.Stirred(p.now)
		p.lose = func(int) bool { return true }
		p.pass(500 * time.Millisecond)
		p.lose = nil
		heard++
		p.b.machine.Heard(heard)
		if p.b.machine.State() != link.Established {
			t.Fatalf("b is %v: %v", p.b.machine.State(), p.b.machine.Failed())
		}
	}
}

// TestUpdate_OldNameEnds: the old name ends with its grace time also where a re-keying has put the
// keys that it belongs to behind newer ones.
func TestUpdate_OldNameEnds(t *testing.T) {
	p := newPair(t)
	rested(t, p)
	defer p.close()
	p.command(t, p.a, p.a.machine.UpdateIdentifiers)
	p.pass(6 * time.Second)
	p.command(t, p.a, p.a.machine.Rekey)
	p.pass(p.a.config.Timers.Grace - 5*time.Second)
	for _, e := range []*end{p.a, p.b} {
		if _, contexts, names := e.machine.Kept(); contexts != 2 || names != 2 {
			t.Errorf("%d contexts receive under %d names, want 2 under 2", contexts, names)
		}
	}
}
