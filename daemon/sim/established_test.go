package sim_test

import (
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/sim"
	"pc5d/dataplane/underlay"
)

// TestT05_ReplayEverything replays a whole establishment many times, at once and after the
// cookies have died, in order and shuffled. State, work and octets stay bounded.
func TestT05_ReplayEverything(t *testing.T) {
	byEachProof(t, testReplayEverything)
}

func testReplayEverything(t *testing.T, by link.Proof) {
	p := newPairBy(t, 1, by)
	p.establish()
	heard := p.Attacker().Heard()
	before, sent := p.link.B.Agreement(), p.Network.Sent()
	ofAlice, ofBob := p.Attempts(p.alice), p.Attempts(p.bob)
	replays := 0
	for _, wait := range []time.Duration{0, time.Second, 15 * time.Second, time.Minute, 30 * time.Minute} {
		p.Run(wait)
		for range 20 {
			p.Attacker().Replay(heard...)
			p.Attacker().ReplayShuffled(heard...)
			replays += 2
			p.Run(5 * time.Millisecond)
		}
	}
	p.Run(time.Minute)
	p.sound()
	if p.link.B.Agreement() != before || p.Attempts(p.bob) != ofBob || p.Attempts(p.alice) != ofAlice {
		t.Errorf("alice made %d machines and bob %d for replays", p.Attempts(p.alice)-ofAlice, p.Attempts(p.bob)-ofBob)
	}
	// The request and the first response may each get a cookie; nothing else may be answered
	// more often than the quiet time allows.
	sessions := 1
	if p.before > 0 {
		sessions = 2 // were recorded
	}
	if n := p.Network.Sent() - sent; n > 3*replays*sessions {
		t.Errorf("%d replays brought %d datagrams", replays, n)
	}
	p.carries()
	p.live()
}

// TestT05_ReplayAfterRestart: the same towards a responder that has forgotten everything, or that
// found its kept keys again.
func TestT05_ReplayAfterRestart(t *testing.T) {
	byEachProof(t, func(t *testing.T, by link.Proof) {
		for _, forgets := range []bool{true, false} {
			testReplayAfterRestart(t, by, forgets)
		}
	})
}

func testReplayAfterRestart(t *testing.T, by link.Proof, forgets bool) {
	p := newPairBy(t, 2, by)
	p.bob.KeyFile = true
	p.establish()
	heard := p.Attacker().Heard()
	p.bob.Kill()
	if forgets {
		p.bob.Forget()
	}
	// Nothing else arrives: alice would soon notice, and come back.
	p.Network.Filter = func(sim.Datagram) []sim.Datagram { return nil }
	startAll(t, p.bob)
	p.link.B.Down() // whose state says that the link was up
	p.Run(time.Second)
	attempts, sent := p.Attempts(p.bob), p.Network.Sent()
	for range 50 {
		p.Attacker().Replay(heard...)
		p.Run(10 * time.Millisecond)
	}
	p.Run(time.Minute)
	if p.Attempts(p.bob) != attempts || p.Machines(p.bob) != 0 {
		t.Errorf("replays made bob %d machines, %d are left", p.Attempts(p.bob)-attempts, p.Machines(p.bob))
	}
	if p.Network.Sent() == sent {
		t.Error("bob did not even ask for a cookie: nothing was tried")
	}
	p.sound()
	p.live()
}

// TestT06_T53_AfterEstablishment injects every message in clear, stale, towards the wrong end,
// and under a MAC-I or tag that is wrong, far ahead of the windows. The link does not notice.
func TestT06_T53_AfterEstablishment(t *testing.T) {
	byEachProof(t, func(t *testing.T, by link.Proof) {
		p := newPairBy(t, 3, by)
		p.establish()
		p.carries()
		before := p.link.A.Agreement()
		for _, d := range p.Attacker().Heard() {
			p.Attacker().Replay(d)
			p.Attacker().Reflect(d)
			p.Attacker().Replay(p.Attacker().Forgeries(d)...)
			p.Attacker().Elsewhere(d)
			p.Run(time.Second)
			p.sound()
		}
		if p.link.A.Agreement() != before || p.link.B.Agreement() != before {
			t.Error("the link is another one")
		}
		p.carries()
		p.live()
	})
}

// TestT37_ForgedHint: a forged "unknown link" ends nothing.
func TestT37_ForgedHint(t *testing.T) {
	p := newPair(t, 4)
	p.establish()
	before, sent := p.link.A.Agreement(), p.Network.Sent()
	h := underlay.Header{Form: underlay.FormHint, Destination: before.LayerTwoA, Source: before.LayerTwoB, LCID: underlay.DRB}
	for range 100 {
		p.Attacker().Replay(sim.Datagram{From: p.bob.Address, To: p.alice.Address, Octets: h.AppendTo(nil)})
		p.Run(20 * time.Millisecond)
	}
	if n := p.Network.Sent() - sent; n > 6 {
		t.Errorf("100 hints in 2 s brought %d datagrams, want at most a keep-alive and its answer each second", n)
	}
	if p.link.A.Agreement() != before {
		t.Error("the link is another one")
	}
	p.carries()
}

// TestT91_RestartWithoutState: the new link replaces the old one within 10 s, whichever end
// lost its memory.
func TestT91_RestartWithoutState(t *testing.T) {
	for _, lost := range []string{"alice", "bob"} {
		p := newPair(t, 6)
		p.establish()
		end := p.link.A
		if lost == "bob" {
			end = p.link.B
		}
		end.Host.Kill()
		end.Host.Forget()
		startAll(t, end.Host)
		end.Up()
		p.within(10*time.Second, "a new link after "+lost+" lost everything", p.link.Agreed)
		p.carries()
		p.live()
	}
}

// TestT91_SurvivorNotices: nobody asks the end that forgot everything. The other one sends packets,
// is told that they are unknown, and makes a new link within 10 s, whatever came before the crash.
func TestT91_SurvivorNotices(t *testing.T) {
	for i := range 2 {
		p := newPair(t, 8)
		p.establish()
		ends := p.link.Ends()
		lost, survivor := ends[i], ends[1-i]
		for range 20 {
			lost.Send(sim.IPv4, 200)
			survivor.Send(sim.IPv4, 200)
			p.Run(10 * time.Millisecond)
		}
		lost.Host.Kill()
		lost.Host.Forget()
		startAll(t, lost.Host)
		begin := p.Now()
		for !p.link.Agreed() && p.Now()-begin < 20*time.Second {
			survivor.Send(sim.IPv4, 200)
			p.Run(50 * time.Millisecond)
		}
		if took := p.Now() - begin; took > 10*time.Second {
			t.Errorf("a new link after %s lost everything: %v", lost.Host.Name, took)
		}
		p.carries()
		p.live()
	}
}

// TestC11_T91_RestartWithState: the restarted end brings the link back by itself, responder or
// not, and also when it finds a torn state file: then an operator asks once.
func TestC11_T91_RestartWithState(t *testing.T) {
	for _, torn := range []bool{false, true} {
		for i := range 2 {
			p := newPair(t, 7)
			p.link.B.Calls = false // its state has the endpoint
			p.establish()
			end := p.link.Ends()[i]
			end.Host.Kill()
			if torn {
				end.Host.Tear()
			}
			startAll(t, end.Host)
			if torn {
				p.link.A.Down() // its peer may be stale, and only alice can call
				p.Run(2 * time.Second)
				p.link.A.Up()
			}
			p.within(10*time.Second, "the link is back after "+end.Host.Name+" died", p.link.Agreed)
			p.carries()
			p.live()
		}
	}
}

// TestT92_KilledAtEachStep kills either end after each step of an establishment, then starts it
// again. The link comes up.
func TestT92_KilledAtEachStep(t *testing.T) {
	for i := range 2 {
		for step := 0; ; step++ {
			p := newPair(t, 8)
			p.start()
			p.link.A.Up()
			for range step {
				p.Step()
			}
			over := p.link.Agreed()
			victim := p.link.Ends()[i]
			victim.Host.Kill()
			startAll(t, victim.Host)
			p.Run(100 * time.Millisecond)
			if i == 0 { // who asked asks again; the other end is only called
				victim.Up()
			}
			p.link.A.Send(sim.IPv4, 100) // an established end has no other reason to look
			p.within(10*time.Second, "the link is back", p.link.Agreed)
			p.carries()
			p.Close()
			if over {
				break
			}
		}
	}
}

// TestT93_Flap: a path that is away for a while costs no handshake.
func TestT93_Flap(t *testing.T) {
	p := newPair(t, 9)
	p.establish()
	before := p.link.A.Agreement()
	for _, away := range []time.Duration{time.Second, 20 * time.Second} {
		p.Network.Cut(p.alice, p.bob)
		p.Network.Cut(p.bob, p.alice)
		p.Run(away)
		p.Network.Heal()
		p.carries()
	}
	if p.link.A.Agreement() != before {
		t.Error("the link is another one")
	}
}

// TestT76_ClockJumps: a wall clock that jumps ten years either way ends no link, and a daemon
// that starts meanwhile is accepted.
func TestT76_ClockJumps(t *testing.T) {
	const tenYears = 10 * 365 * 24 * time.Hour
	for _, jump := range []time.Duration{-tenYears, tenYears} {
		p := newPair(t, 10)
		p.establish()
		before := p.link.A.Agreement()
		p.alice.Jump = jump
		p.Run(time.Minute)
		p.carries()
		if p.link.A.Agreement() != before {
			t.Error("the link is another one")
		}
		p.alice.Kill()
		startAll(t, p.alice)
		p.within(10*time.Second, "a link between two times", p.link.Agreed)
		p.alice.Jump = 0
		p.alice.Kill()
		p.alice.Jump = jump
		startAll(t, p.alice)
		p.alice.Jump = 0
		p.within(10*time.Second, "a link after the clock was set", p.link.Agreed)
		p.live()
	}
}

// TestT95_Day: a day with some traffic and a restart each hour leaves nothing behind; bounds.go
// looks after every step.
func TestT95_Day(t *testing.T) {
	p := newPair(t, 11)
	p.establish()
	for hour := range 24 {
		for range 10 {
			p.Run(6 * time.Minute)
			p.link.A.Send(sim.IPv4, 100)
			p.link.B.Send(sim.IPv6, 1000)
		}
		end := p.link.Ends()[hour%2]
		end.Host.Kill()
		startAll(t, end.Host)
		p.within(10*time.Second, "the link is back", p.link.Agreed)
	}
	p.Run(time.Minute)
	if p.Machines(p.alice) != 1 || p.Machines(p.bob) != 1 {
		t.Errorf("%d and %d machines are left", p.Machines(p.alice), p.Machines(p.bob))
	}
	p.live()
}
