package link_test

import (
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// TestT35_Floods: an evil peer with valid keys sends 100 different requests of a kind a second, for
// ten seconds, and answers nothing. What it gets is bounded by time, not by what it sends; new
// keys by the least time between two; and afterwards the link still serves.
func TestT35_Floods(t *testing.T) {
	const seconds = 10
	burst := 10 + 2*seconds // of the bucket
	update := func(i int) pc5s.Message {
		return &pc5s.DirectLinkIdentifierUpdateRequest{SequenceNumber: pc5s.SequenceNumber(i), SourceLayerTwoID: underlay.LayerTwoID(0x0C0000 + i), KNRPSessMSB: byte(i%255 + 1)}
	}
	rekey := func(s *scene) pc5s.Message {
		r, err := s.b.machine.RekeyingRequestOf()
		if err != nil {
			return &pc5s.DirectLinkRekeyingResponse{}
		}
		return r
	}
	for _, c := range []struct {
		name    string
		next    func(s *scene, i int) pc5s.Message
		answers int // at most, repetitions by timer included
	}{
		{"keep-alive", func(_ *scene, i int) pc5s.Message {
			return &pc5s.DirectLinkKeepaliveRequest{SequenceNumber: pc5s.SequenceNumber(i), Counter: uint32(i)}
		}, burst},
		{"modification", func(_ *scene, i int) pc5s.Message {
			r := flows()
			r.SequenceNumber = pc5s.SequenceNumber(i)
			return r
		}, burst},
		{"identifier update", func(_ *scene, i int) pc5s.Message { return update(i) }, burst + 20},
		{"re-keying", func(s *scene, _ int) pc5s.Message { return rekey(s) }, burst + 20},
		{"re-keying and refusal", func(s *scene, i int) pc5s.Message {
			if i%2 == 0 {
				return rekey(s)
			}
			return &pc5s.DirectLinkSecurityModeReject{SequenceNumber: pc5s.SequenceNumber(i), Cause: pc5s.CauseIntegrityFailure}
		}, 5},
		{"re-keying and conflict", func(s *scene, i int) pc5s.Message {
			if i%2 == 0 {
				return rekey(s)
			}
			return &pc5s.DirectLinkSecurityModeReject{SequenceNumber: pc5s.SequenceNumber(i), Cause: pc5s.CauseLSBConflict}
		}, 2 * burst},
		{"update and re-keying", func(s *scene, i int) pc5s.Message {
			if i%2 == 0 {
				return update(i)
			}
			return rekey(s)
		}, burst + 20},
		{"rejects of nothing", func(_ *scene, i int) pc5s.Message {
			return &pc5s.DirectLinkIdentifierUpdateReject{SequenceNumber: pc5s.SequenceNumber(i), Cause: pc5s.CauseLayer2IDConflict}
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := at(t, "established A")
			defer s.close()
			s.a.config.Timers.T5084 = 0
			answers := 0
			for i := range 100 * seconds {
				s.now = s.now.Add(10 * time.Millisecond)
				before := len(s.sent)
				s.a.machine.Advance(s.now)
				s.drain(s.a)
				s.queue = nil
				s.put(s.b.machine.Speak(c.next(s, i)))
				answers += len(s.sent) - before
				if _, contexts, names := s.a.machine.Kept(); contexts > 6 || names > 12 || len(s.a.plane.receives) > 8 {
					t.Fatalf("after %d: %d contexts, %d names, %d of the user plane", i, contexts, names, len(s.a.plane.receives))
				}
			}
			if answers > c.answers || s.a.machine.State() != link.Established {
				t.Errorf("%d answers, at most %d were expected; %v (%v); %v", answers, c.answers, s.a.machine.State(), s.a.machine.Failed(), s.a.drops)
			}
		})
	}
}

// TestT35_RekeyInterval: an evil peer that completes every re-keying gets no more of them than the
// least time between two allows, also with identifier updates in between.
func TestT35_RekeyInterval(t *testing.T) {
	n := newNetwork(t)
	defer n.close()
	n.b.config.Timers.RekeyMin = 0 // the evil end
	rested(t, n.pair)
	for range 300 {
		n.b.machine.UpdateIdentifiers(n.now)
		n.drain(n.b)
		n.b.machine.Rekey(n.now)
		n.drain(n.b)
		n.rest(t, 100*time.Millisecond)
	}
	if at := n.a.rekeyed; at < 4 || at > 30/5+1 {
		t.Errorf("%d re-keyings in 30 s; %s", at, n.describe())
	}
	n.rest(t, 20*time.Second)
	if !n.quiet() {
		t.Errorf("afterwards: %s", n.describe())
	}
}

// TestT54_BothRekey: both ends start re-keyings at once, 40 times, over a path that loses 30 % both
// ways and reorders. At every step each end can receive what the other sends, no end ever
// sends under keys that it has left, and both come to the same ones.
func TestT54_BothRekey(t *testing.T) {
	rounds := 40 / every(8)
	shards(t, 8, func(t *testing.T, seed int) {
		n := newNetwork(t)
		defer n.close()
		rested(t, n.pair)
		n.weather(uint64(seed), 80*time.Millisecond, 1<<30, 0.3, 0.1)
		for _, e := range []*end{n.a, n.b} {
			e.plane.left = map[*planeKeys]bool{}
		}
		for round := range rounds / 4 {
			before := n.a.rekeyed
			for _, e := range []*end{n.a, n.b} {
				if err := e.machine.Rekey(n.now); err != nil {
					t.Fatalf("seed %d round %d: %v; %s", seed, round, err, n.describe())
				}
				n.drain(e)
			}
			if !n.last(t, 30*time.Second, func() bool { return n.a.rekeyed > before && n.b.rekeyed == n.a.rekeyed && n.quiet() }) {
				t.Fatalf("seed %d round %d: %s", seed, round, n.describe())
			}
			n.agree(t, "seed %d round %d", seed, round)
			n.rest(t, 6*time.Second)
		}
	})
}

// TestT53_ForgedRecords: however many forged records come in a second, the genuine ones among them
// are taken: a tag of 128 bits need not be protected from guessing, and who can only inject must
// not be able to end a link. They cause no re-keying.
func TestT53_ForgedRecords(t *testing.T) {
	s := at(t, "established A")
	defer s.close()
	for i := range 1000 {
		forged := s.b.machine.Speak(flows())
		forged[len(forged)-1-i%8] ^= 1 << (i % 8)
		if _, err := s.put(forged); err != link.DropUnverified {
			t.Fatalf("forged record %d: %v", i, err)
		}
	}
	if sent, err := s.put(s.b.machine.Speak(&pc5s.DirectLinkKeepaliveRequest{Counter: 9})); err != nil || len(sent) != 1 {
		t.Errorf("a genuine request: %v, %d sent", err, len(sent))
	}
	if s.a.machine.Running() != link.NoProcedure {
		t.Errorf("%v runs", s.a.machine.Running())
	}
}
