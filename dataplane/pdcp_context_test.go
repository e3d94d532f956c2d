package dataplane_test

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pc5d/dataplane"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

// pduUnder is a PDU of a to b under any name and COUNT.
func pduUnder(t interface{ Fatal(...any) }, id dataplane.ContextID, mode suite.Mode, count uint32, packet []byte) []byte {
	s, err := suite.NewStandard(*standardOf(session, true, 2, mode).Standard, mode)
	if err != nil {
		t.Fatal(err)
	}
	b := underlay.Header{Destination: id.Peer, Source: id.Local, LCID: underlay.DRB}.AppendTo(nil)
	b = pdcp.DataHeader{SN: pdcp.SNOf(count), Session: id.Session}.AppendTo(b)
	item := []suite.Item{{Count: uint64(count), AAD: b[underlay.HeaderLen:], Text: packet, Dst: make([]byte, 0, len(packet)+s.TagLen())}}
	s.Seal(item)
	return append(b, item[0].Dst...)
}

// receiving is the slow reference of the receiver: TS 38.323, 5.2.2.1, with every COUNT that was taken
// remembered for ever, and RX_DELIV 8192 behind RX_NEXT. What is more than the window behind is refused,
// but just before a jump over more than a window.
type receiving struct {
	next  uint64
	taken map[uint64]bool
}

// hears tells whether a PDU of this COUNT must be taken, must be refused, or may be either.
func (r *receiving) hears(count uint64) (must, may bool) {
	const w, window = 1 << 17, 8192
	deliver := r.next - min(r.next, window)
	near := int64(count) >= int64(deliver)-w && count < deliver+w
	switch {
	case r.taken[count]:
		return false, false
	case !near: // taken for another COUNT, which does not verify
		return false, false
	case count >= deliver:
		return true, true
	}
	return false, true
}

func (r *receiving) take(count uint64) {
	r.taken[count] = true
	r.next = max(r.next, count+1)
}

// TestT52_T53_StandardCountIsTheReference: PDUs with jumps, reordering, repetitions and forgeries over several
// HFNs are taken exactly where the reference says; none is taken twice, and a forged one moves nothing.
func TestT52_T53_StandardCountIsTheReference(t *testing.T) {
	p := packet(addrA, addrB, 40, 1)
	id := contextOf(session, true).ID
	rapid.Check(t, func(r *rapid.T) {
		_, b := newStandardPair(t, 2, suite.AEAD)
		want, head, taken := receiving{taken: map[uint64]bool{}}, int64(0), uint64(0)
		for range rapid.IntRange(1, 60).Draw(r, "PDUs") {
			step := rapid.OneOf(rapid.Int64Range(1, 3), rapid.Int64Range(1, 122_880), rapid.Int64Range(100_000, 300_000), rapid.Int64Range(-9000, 0), rapid.Int64Range(-140_000, 0), rapid.SampledFrom([]int64{122_879, 122_880, 122_881, -8192, -8193, 1 << 18})).Draw(r, "step")
			count := max(head+step, 0)
			datagram := pduUnder(r, id, suite.AEAD, uint32(count), p)
			if forged := rapid.Bool().Draw(r, "forged"); forged {
				datagram[len(datagram)-1] ^= 1
				arrive(t, b, datagram)
				continue
			}
			got := len(arrive(t, b, datagram)) == 1
			must, may := want.hears(uint64(count))
			if got != must && !(may && got) {
				r.Fatalf("COUNT %d, RX_NEXT %d: taken %v, want %v or %v", count, want.next, got, must, may)
			}
			if got {
				want.take(uint64(count))
				taken++
				head = max(head, count)
			}
		}
		if n := b.link.Authentic(); n != taken {
			r.Fatalf("%d authentic PDUs, want %d", n, taken)
		}
	})
}

// TestT52_StandardOverHFNs: a stream with losses crosses HFN after HFN, and nothing that arrives is refused.
func TestT52_StandardOverHFNs(t *testing.T) {
	for _, mode := range []suite.Mode{suite.AEAD, suite.CipheringOnly} {
		_, b := newStandardPair(t, 2, mode)
		p, id := packet(addrA, addrB, 40, 1), contextOf(session, true).ID
		for count := uint32(0); count < 5<<18; count += 100_003 {
			for _, late := range []uint32{0, 7, 3} {
				if got := arrive(t, b, pduUnder(t, id, mode, count+late, p)); len(got) != 1 || !bytes.Equal(got[0], p) {
					t.Fatalf("%s: COUNT %d: %d packets; drops %v", mode, count+late, len(got), b.link.Counters().Drops)
				}
			}
		}
	}
}

// TestT53_T56_ForgedSNMovesNoHFN: with ciphering alone anybody can send any SN; what does not decipher to a
// packet of the peer moves nothing.
func TestT53_T56_ForgedSNMovesNoHFN(t *testing.T) {
	_, b := newStandardPair(t, 2, suite.CipheringOnly)
	p, id := packet(addrA, addrB, 40, 1), contextOf(session, true).ID
	for n := range uint32(20) {
		forged := pduUnder(t, id, suite.CipheringOnly, 0, p)
		copy(forged[underlay.HeaderLen:], pdcp.DataHeader{SN: pdcp.SNOf(120_000 * (n + 1)), Session: session}.AppendTo(nil))
		arrive(t, b, forged)
	}
	if got := arrive(t, b, pduUnder(t, id, suite.CipheringOnly, 1, p)); len(got) != 1 || !bytes.Equal(got[0], p) {
		t.Errorf("%d packets after the forgeries", len(got))
	}
}

// TestT55_StandardLimits: COUNT has 32 bits and ends before it wraps; 2^16 failures ask for new keys.
func TestT55_StandardLimits(t *testing.T) {
	const none = 1<<64 - 1
	for mode, want := range map[suite.Mode]dataplane.Limits{
		suite.AEAD:          {SoftBlocks: 1 << 34, HardBlocks: 1 << 35, Failures: 1 << 16},
		suite.IntegrityOnly: {SoftBlocks: 1 << 34, HardBlocks: 1 << 35, Failures: 1 << 16},
		suite.CipheringOnly: {SoftBlocks: 1 << 34, HardBlocks: 1 << 35, Failures: none},
		suite.Unprotected:   {SoftBlocks: none, HardBlocks: none, Failures: none},
	} {
		want.SoftCount, want.HardCount, want.Records, want.Octets = 1<<31, 1<<32-1<<16, none, none
		if got := dataplane.StandardLimits(dataplane.Limits{}, mode); got != want {
			t.Errorf("%s: %+v, want %+v", mode, got, want)
		}
	}
	if got := dataplane.StandardLimits(dataplane.Limits{HardCount: 1 << 40, SoftCount: 1 << 39}, suite.AEAD); got.HardCount != 1<<32-1<<16 || got.SoftCount > got.HardCount {
		t.Errorf("limits beyond 32 bits: %+v", got)
	}
}

// TestT50_T55_StandardStops: the first COUNT after the limit is never used: what waits is dropped. New keys
// are asked for before.
func TestT50_T55_StandardStops(t *testing.T) {
	a, _, told, _ := newTold(t, udp.NewNetwork())
	c := standardOf(session, true, 2, suite.AEAD)
	c.Limits = dataplane.Limits{HardCount: 1000, SoftCount: 500}
	if err := a.link.InstallWith(c, wrap(t)); err != nil {
		t.Fatal(err)
	}
	s := newSuper(false, 0, 60_000, 1348, 0x10, false)
	for range 30 {
		for range 40 {
			a.tun.Deliver(packet(addrA, addrB, 100, 1))
		}
		a.tun.DeliverAs(s.header, s.packet)
		a.engine.Turn(a.link.Key())
		if n := a.link.Counters().Sent.Records; n < 400 && len(told.exhausting) != 0 || n >= 500 && len(told.exhausting) != 1 {
			t.Fatalf("asked for new keys %d times after %d PDUs", len(told.exhausting), n)
		}
	}
	if c := a.link.Counters(); c.Sent.Packets != 1000 || c.Drops.Of(dataplane.DropKeyLimit) == 0 {
		t.Errorf("%+v", c)
	}
}

// TestT50_StandardRekeyStorm: no COUNT is used twice under a key, whatever changes while packets move.
func TestT50_StandardRekeyStorm(t *testing.T) {
	network := udp.NewNetwork()
	network.Listen(outerB)
	e := newEnd(t, network, outerA)
	run(t, e)
	s := newSuper(false, 0, 20_000, 1348, 0x10, false)
	for n := range uint16(100) {
		if err := e.link.InstallWith(standardOf(n+1, true, 1, suite.AEAD), wrap(t)); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			e.tun.Deliver(packet(addrA, addrB, 100, 1))
		}
		e.tun.DeliverAs(s.header, s.packet)
		if n%3 == 2 {
			e.link.Retire(standardOf(n, true, 1, suite.AEAD).ID)
		}
	}
}

// clocked is a receiving end whose clock the test moves.
func clocked(t *testing.T, mode suite.Mode) (b *end, now *time.Time, n *told) {
	t.Helper()
	at := time.Unix(1000, 0)
	n = &told{}
	b = newEndWith(t, udp.NewNetwork(), outerB, func(c *dataplane.Config) {
		c.Now = func() time.Time { return at }
		c.Exhausting = func(_ string, id dataplane.ContextID) { n.exhausting = append(n.exhausting, id) }
	})
	install(t, b.link, standardOf(session, false, 2, mode))
	return b, &at, n
}

// TestT36_T55_GuessesAreBounded: 50 PDUs of a second are verified in vain, the rest of it is dropped
// unverified, genuine ones too; the next second begins anew. Replays are not verified and count nothing.
func TestT36_T55_GuessesAreBounded(t *testing.T) {
	b, now, _ := clocked(t, suite.AEAD)
	p, id := packet(addrA, addrB, 40, 1), contextOf(session, true).ID
	forged := pduUnder(t, id, suite.AEAD, 500, p)
	forged[len(forged)-1] ^= 1
	for second := range uint32(3) {
		genuine := pduUnder(t, id, suite.AEAD, second, p)
		if got := arrive(t, b, genuine); len(got) != 1 {
			t.Fatalf("second %d: %d packets before the forgeries", second, len(got))
		}
		for range 70 {
			arrive(t, b, forged)
			arrive(t, b, genuine)
		}
		if got := arrive(t, b, pduUnder(t, id, suite.AEAD, 100+second, p)); len(got) != 0 {
			t.Errorf("second %d: verified after 50 failures", second)
		}
		drops := b.link.Counters().Drops
		if n := uint64(second) + 1; drops.Of(dataplane.DropUnverified) != 50*n || drops.Of(dataplane.DropRate) != 21*n || drops.Of(dataplane.DropReplayed) != 70*n {
			t.Fatalf("second %d: drops %v", second, drops)
		}
		*now = now.Add(time.Second)
	}
}

// TestT55_LostHFNAsksForKeys: where PDUs come for a second and none is good, this end does not know the
// peer's HFN any more, and asks for new keys, once. A good one in between ends the doubt.
func TestT55_LostHFNAsksForKeys(t *testing.T) {
	for _, mode := range []suite.Mode{suite.AEAD, suite.IntegrityOnly, suite.CipheringOnly} {
		for name, ahead := range map[string]uint32{"seems ahead": 2<<18 + 1000, "seems behind": 250_000} {
			if mode == suite.CipheringOnly && name == "seems behind" {
				ahead = 300_000 // without a window what is behind is only deciphered wrongly
			}
			b, now, told := clocked(t, mode)
			p, id := packet(addrA, addrB, 40, 1), contextOf(session, true).ID
			arrive(t, b, pduUnder(t, id, mode, 0, p))
			for n := range uint32(30) {
				arrive(t, b, pduUnder(t, id, mode, ahead+n, p))
				*now = now.Add(20 * time.Millisecond)
			}
			arrive(t, b, pduUnder(t, id, mode, 1, p)) // a late one
			for n := range uint32(100) {
				if asked := len(told.exhausting); asked > 0 != (n > 50) && n != 50 {
					t.Fatalf("%s, %s: asked for keys %d times after %d PDUs", mode, name, asked, n)
				}
				arrive(t, b, pduUnder(t, id, mode, ahead+100+n, p))
				*now = now.Add(20 * time.Millisecond)
			}
			if len(told.exhausting) != 1 {
				t.Errorf("%s, %s: asked for keys %d times", mode, name, len(told.exhausting))
			}
		}
	}
}

// TestT56_ForgedPDUsEndNothing: where nothing is protected no PDU that anybody sends asks for new keys, or keeps
// a genuine one out.
func TestT56_ForgedPDUsEndNothing(t *testing.T) {
	b, now, told := clocked(t, suite.Unprotected)
	id := contextOf(session, true).ID
	for n := range uint32(200) {
		arrive(t, b, pduUnder(t, id, suite.Unprotected, 1<<31+n*100_000, []byte("no packet at all, but long enough")))
		*now = now.Add(100 * time.Millisecond)
	}
	p := packet(addrA, addrB, 40, 1)
	if got := arrive(t, b, pduUnder(t, id, suite.Unprotected, 0, p)); len(got) != 1 || len(told.exhausting) != 0 || b.link.Authentic() != 0 {
		t.Errorf("%d packets, asked for keys %d times, %d authentic", len(got), len(told.exhausting), b.link.Authentic())
	}
}

// TestT54_R21_StandardNames: in each mode the keys change and the names change, and nothing that is under way
// is lost. Where nothing is protected the K_NRP-sess ID is 0 for all keys.
func TestT54_R21_StandardNames(t *testing.T) {
	eachStandard(t, func(t *testing.T, algorithm uint8, mode suite.Mode) {
		a, b := newStandardPair(t, algorithm, mode)
		p := packet(addrA, addrB, 200, 9)
		send := func() []byte { return captured(t, a, b, p) }
		receives := func(when string, datagram []byte) {
			t.Helper()
			if got := arrive(t, b, datagram); len(got) != 1 || !bytes.Equal(got[0], p) {
				t.Fatalf("%s: %d packets; drops %v, engine %v", when, len(got), b.link.Counters().Drops, b.engine.Drops())
			}
		}
		late := send()
		next := [2]dataplane.Context{standardOf(session+1, true, algorithm, mode), standardOf(session+1, false, algorithm, mode)}
		check(t, b.link.Install(next[1]), a.link.Install(next[0]))
		receives("old keys, both installed", send())
		check(t, a.link.Activate(next[0].ID), b.link.Activate(next[1].ID))
		receives("new keys", send())
		receives("late, old keys", late)
		b.link.Retire(standardOf(session, false, algorithm, mode).ID)
		receives("new keys, the old are gone", send())

		late = send()
		check(t, b.link.Alias(next[1].ID, alias(1, false)), a.link.Alias(next[0].ID, alias(1, true)))
		check(t, a.link.Move(next[0].ID, alias(1, true), dataplane.Readdress{Skip: 60_000}))
		receives("new name", send())
		receives("late, old name", late)
		check(t, b.link.Move(next[1].ID, alias(1, false), dataplane.Readdress{Skip: 1}))
		b.link.Unalias(next[1].ID)
		if got := arrive(t, b, pduUnder(t, next[0].ID, mode, 50, p)); len(got) != 0 {
			t.Error("the old name has ended and still opens")
		}
		receives("new name alone", send())
	})
}

func check(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestBareContextGivenUp: new keys that are withdrawn leave the old ones reachable where nothing tells them
// apart.
func TestBareContextGivenUp(t *testing.T) {
	a, b := newStandardPair(t, 1, suite.Unprotected)
	p := packet(addrA, addrB, 100, 1)
	check(t, b.link.Install(standardOf(session+1, false, 1, suite.Unprotected)))
	b.link.Retire(standardOf(session+1, false, 1, suite.Unprotected).ID)
	if got := arrive(t, b, captured(t, a, b, p)); len(got) != 1 {
		t.Errorf("%d packets", len(got))
	}
	b.link.Retire(standardOf(session, false, 1, suite.Unprotected).ID)
	if got := arrive(t, b, captured(t, a, b, p)); len(got) != 0 {
		t.Error("a context that ended opens")
	}
}

// TestT57_StandardInnerFilter: inner addresses are judged in this form too.
func TestT57_StandardInnerFilter(t *testing.T) {
	_, b := newStandardPair(t, 2, suite.AEAD)
	stranger := packet(netip.MustParseAddr("10.9.0.99"), addrB, 100, 1)
	got := arrive(t, b, pduUnder(t, contextOf(session, true).ID, suite.AEAD, 0, stranger))
	if drops := b.link.Counters().Drops; len(got) != 0 || drops.Of(dataplane.DropInnerSource) != 1 {
		t.Errorf("%d packets, drops %v", len(got), drops)
	}
}

// TestStandardContextRefusals: a context has one form, and a protection for each flag that is on.
func TestStandardContextRefusals(t *testing.T) {
	a, _ := newStandardPair(t, 2, suite.AEAD)
	for name, change := range map[string]func(*dataplane.Context){
		"both forms":     func(c *dataplane.Context) { c.Suite = suite.AES128GCM },
		"null ciphering": func(c *dataplane.Context) { c.Standard.Ciphering = nea.NEA0 },
		"null integrity": func(c *dataplane.Context) { c.Standard.Integrity = nea.NIA0 },
		"unknown mode":   func(c *dataplane.Context) { c.Mode = 4 },
		"no keys":        func(c *dataplane.Context) { c.Standard = nil },
	} {
		c := standardOf(9, true, 2, suite.AEAD)
		change(&c)
		if err := a.link.Install(c); err == nil {
			t.Errorf("%s: installed", name)
		}
	}
}
