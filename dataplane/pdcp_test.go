package dataplane_test

import (
	"bytes"
	"fmt"
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

const pduHeader = underlay.HeaderLen + pdcp.DataHeaderLen

// standardOf is a context of the standard form with the algorithms of a number. The ends of a session have
// the same keys.
func standardOf(session uint16, a bool, algorithm uint8, mode suite.Mode) dataplane.Context {
	c := contextOf(session, a)
	c.Suite, c.Mode = suite.None, mode
	c.Standard = &suite.Standard{
		Ciphering: nea.Ciphering(algorithm), Integrity: nea.Integrity(algorithm), Bearer: uint8(underlay.DRB),
		NRPEK: [16]byte{1, byte(session >> 8), byte(session)}, NRPIK: [16]byte{2, byte(session >> 8), byte(session)},
	}
	if !a {
		c.Standard.Direction = 1
	}
	c.Sources = append(c.Sources, netip.PrefixFrom(sixA, 128), netip.PrefixFrom(sixB, 128))
	return c
}

// newStandardPair makes two ends with one context of the standard form; nothing runs.
func newStandardPair(t testing.TB, algorithm uint8, mode suite.Mode) (a, b *end) {
	t.Helper()
	network, at := udp.NewNetwork(), time.Unix(0, 0)
	patient := func(c *dataplane.Config) { // no two refusals fall into one second
		c.Now = func() time.Time { at = at.Add(time.Minute); return at }
	}
	a, b = newEnd(t, network, outerA), newEndWith(t, network, outerB, patient)
	install(t, a.link, standardOf(session, true, algorithm, mode))
	install(t, b.link, standardOf(session, false, algorithm, mode))
	return a, b
}

func eachStandard(t *testing.T, run func(t *testing.T, algorithm uint8, mode suite.Mode)) {
	for algorithm := uint8(1); algorithm <= 3; algorithm++ {
		for _, mode := range []suite.Mode{suite.AEAD, suite.IntegrityOnly, suite.CipheringOnly, suite.Unprotected} {
			t.Run(fmt.Sprintf("%d/%s", algorithm, mode), func(t *testing.T) { run(t, algorithm, mode) })
		}
	}
}

// TestR19_P6_T56_StandardOnTheWire: a PDU shows its packet exactly where ciphering is off, and has a MAC-I
// exactly where integrity is on. With integrity an altered or repeated PDU is refused; without it nothing
// that arrives proves that the peer lives. One that was altered is never delivered where it was ciphered,
// because no packet comes of it.
func TestR19_P6_T56_StandardOnTheWire(t *testing.T) {
	eachStandard(t, func(t *testing.T, algorithm uint8, mode suite.Mode) {
		integrity, readable := mode.Authentic(), !mode.Ciphers()
		a, b := newStandardPair(t, algorithm, mode)
		p := packet(addrA, addrB, 1000, 0x5A)
		datagram := captured(t, a, b, p)
		if got := bytes.Contains(datagram, p); got != readable {
			t.Errorf("packet readable: %v, want %v", got, readable)
		}
		if got, want := len(datagram), pduHeader+1000+map[bool]int{true: 4}[integrity]; got != want {
			t.Errorf("datagram of %d octets, want %d", got, want)
		}
		u, pdu, err := underlay.Parse(datagram)
		h, err2 := pdcp.ParseData(pdu)
		named := session
		if mode == suite.Unprotected {
			named = 0 // TS 38.323, 6.3.13
		}
		if err != nil || err2 != nil || u.Form != underlay.FormPDCP || u.LCID != underlay.DRB || h.Session != named || h.SN != 0 {
			t.Errorf("%+v, %+v, %v, %v", u, h, err, err2)
		}
		altered := bytes.Clone(datagram)
		altered[pduHeader+500] ^= 1
		if got := arrive(t, b, altered); (len(got) == 1) == integrity {
			t.Errorf("altered: %d packets", len(got))
		}
		if got := arrive(t, b, datagram); len(got) != 1 || !bytes.Equal(got[0], p) {
			t.Fatalf("genuine: %d packets", len(got))
		}
		if got := arrive(t, b, datagram); (len(got) == 1) == integrity {
			t.Errorf("repeated: %d packets", len(got))
		}
		drops := b.link.Counters().Drops
		if want := map[bool]uint64{true: 1}[integrity]; drops.Of(dataplane.DropUnverified) != want || drops.Of(dataplane.DropReplayed) != want || b.link.Authentic() != want {
			t.Errorf("drops %v, %d authentic PDUs; want %d of each", drops, b.link.Authentic(), want)
		}
	})
}

// TestR19_StandardEndToEnd: what the kernel hands over in any shape arrives as the packets that it would
// have sent, whole, in their order, one a PDU.
func TestR19_StandardEndToEnd(t *testing.T) {
	a, b := newStandardPair(t, 2, suite.AEAD)
	rapid.Check(t, func(r *rapid.T) {
		before := a.link.Counters().Sent
		var want [][]byte
		for range rapid.IntRange(1, 4).Draw(r, "packets") {
			switch rapid.SampledFrom([]string{"plain", "checksum", "super"}).Draw(r, "shape") {
			case "plain":
				p := packet(addrA, addrB, rapid.IntRange(20, 1404).Draw(r, "length"), 5)
				a.tun.Deliver(p)
				want = append(want, p)
			case "checksum": // one segment, its sum over the pseudo header only
				s := newSuper(rapid.Bool().Draw(r, "six"), 0, rapid.IntRange(1, 1000).Draw(r, "payload"), 1400, 0x18, false)
				whole := s.segments(r)
				s.header.GSOType = 0
				a.tun.DeliverAs(s.header, s.packet)
				want = append(want, whole...)
			case "super":
				s := drawSuper(r)
				if segments := s.segments(r); len(segments) > 200 || len(segments[0]) > 1404 {
					continue // more than the fake's queue takes; longer than any MTU
				}
				a.tun.DeliverAs(s.header, s.packet)
				want = append(want, s.segments(r)...)
			}
			var got [][]byte
			for range 100 {
				a.engine.Turn(a.link.Key())
				if uint64(len(got)) < a.link.Counters().Sent.Packets-before.Packets {
					poll(t, b)
				}
				for len(b.tun.Packets()) > 0 {
					got = append(got, <-b.tun.Packets())
				}
				if len(got) >= len(want) {
					break
				}
			}
			before = a.link.Counters().Sent
			if len(got) != len(want) {
				r.Fatalf("%d packets, want %d; drops %v %v", len(got), len(want), a.link.Counters().Drops, b.link.Counters().Drops)
			}
			for i := range got {
				if !bytes.Equal(got[i], want[i]) {
					r.Fatalf("packet %d:\n%x\nwant\n%x", i, got[i], want[i])
				}
				b.tun.Recycle(got[i])
			}
			want = want[:0]
		}
	})
	if c := a.link.Counters().Sent; c.Packets != c.Records || c.Packets == 0 {
		t.Errorf("%+v: a PDU has one packet", c)
	}
}

// TestStandardPDUsShareASend: equal ones leave with one call.
func TestStandardPDUsShareASend(t *testing.T) {
	a, b := newStandardPair(t, 2, suite.AEAD)
	for range 40 {
		a.tun.Deliver(packet(addrA, addrB, 1400, 7))
	}
	a.engine.Turn(a.link.Key())
	messages := udp.NewMessages(2)
	n, err := b.conn.Receive(messages, true)
	if err != nil || n != 1 || messages[0].Segment != pduHeader+1400+4 || len(messages[0].Data) != 40*messages[0].Segment {
		t.Fatalf("%d messages (%v), the first of %d octets in datagrams of %d", n, err, len(messages[0].Data), messages[0].Segment)
	}
}

// TestStandardOddPackets: what is too long or no packet is dropped and counted, and so is a super-packet that
// cannot be cut.
func TestStandardOddPackets(t *testing.T) {
	a, _ := newStandardPair(t, 2, suite.AEAD)
	a.tun.Deliver(packet(addrA, addrB, 1409, 1))
	a.tun.Deliver([]byte{0x45})
	s := newSuper(false, 0, 5000, 1400, 0x10, false)
	s.header.GSOSize = 0
	a.tun.DeliverAs(s.header, s.packet)
	s.header.GSOType, s.header.ChecksumStart = 0, 65000
	a.tun.DeliverAs(s.header, s.packet[:1000])
	for range 4 {
		a.engine.Turn(a.link.Key())
	}
	if d := a.link.Counters().Drops; d.Of(dataplane.DropTooBig) != 1 || d.Of(dataplane.DropInnerMalformed) != 3 {
		t.Errorf("drops %v", d)
	}
}

// TestT36_StandardAllocatesNothing: with SNOW 3G, and where nothing is protected, no batch allocates, and no
// refused PDU does with any algorithm that does not itself.
func TestT36_StandardAllocatesNothing(t *testing.T) {
	for _, mode := range []suite.Mode{suite.AEAD, suite.IntegrityOnly, suite.CipheringOnly, suite.Unprotected} {
		a, b := newStandardPair(t, 1, mode)
		p, s := packet(addrA, addrB, 100, 2), newSuper(false, 12, 4000, 1348, 0x10, false)
		step := func() {
			for range 20 {
				a.tun.Deliver(p)
			}
			a.tun.DeliverAs(s.header, s.packet)
			a.engine.Turn(a.link.Key())
			b.drain(t, 23)
			b.conn.Inject(outerA, forgedPDU, len(forgedPDU))
			b.conn.Inject(outerA, unknownPDU, len(unknownPDU))
			poll(t, b)
		}
		for range 30 {
			step() // the fakes' buffers grow to their size
		}
		if n := testing.AllocsPerRun(20, step); n >= 1 {
			t.Errorf("%s: %v allocations in 25 PDUs", mode, n)
		}
	}
}

// forgedPDU is for the context, unknownPDU for none.
var (
	forgedPDU  = append(pdcp.DataHeader{SN: 77777, Session: session}.AppendTo(underlay.Header{Destination: idB, Source: idA, LCID: underlay.DRB}.AppendTo(nil)), make([]byte, 64)...)
	unknownPDU = append(pdcp.DataHeader{SN: 5, Session: 0x0101}.AppendTo(underlay.Header{Destination: idB, Source: idA, LCID: underlay.DRB}.AppendTo(nil)), make([]byte, 64)...)
)

// TestStandardRefusals: nothing but data PDUs with IP packets, for a context of this form, is opened; one of
// the other form is nobody's, and a record for a context of this form is nobody's, either.
func TestStandardRefusals(t *testing.T) {
	a, b := newStandardPair(t, 2, suite.AEAD)
	good := captured(t, a, b, packet(addrA, addrB, 100, 1))
	c, d, _ := newPair(t)
	record := captured(t, c, d, packet(addrA, addrB, 100, 1))
	change := func(at int, to byte) []byte {
		out := bytes.Clone(good)
		out[at] = to
		return out
	}
	for name, test := range map[string]struct {
		to       *end
		datagram []byte
		reason   dataplane.Drop
		link     bool
	}{
		"control PDU":              {b, change(underlay.HeaderLen, 0x00), dataplane.DropMalformed, false},
		"Ethernet":                 {b, change(underlay.HeaderLen, 0xA0), dataplane.DropMalformed, false},
		"no header":                {b, good[:pduHeader-1], dataplane.DropMalformed, false},
		"no data":                  {b, good[:pduHeader], dataplane.DropUnverified, true},
		"shorter than a MAC-I":     {b, good[:pduHeader+3], dataplane.DropUnverified, true},
		"other K_NRP-sess ID":      {b, change(pduHeader-1, 0x77), dataplane.DropUnknownContext, false},
		"K_NRP-sess ID 0":          {b, append(append(bytes.Clone(good[:pduHeader-2]), 0, 0), good[pduHeader:]...), dataplane.DropUnknownContext, false},
		"a record":                 {b, record, dataplane.DropUnknownContext, false},
		"a PDU to one for records": {d, good, dataplane.DropUnknownContext, false},
	} {
		before, linkBefore := test.to.engine.Drops(), test.to.link.Counters().Drops
		if got := arrive(t, test.to, test.datagram); len(got) > 0 {
			t.Errorf("%s: delivered", name)
		}
		now, linkNow := test.to.engine.Drops(), test.to.link.Counters().Drops
		if got := now.Of(test.reason) - before.Of(test.reason) + linkNow.Of(test.reason) - linkBefore.Of(test.reason); got != 1 {
			t.Errorf("%s: %d drops %s; %v, link %v", name, got, test.reason, now, linkNow)
		}
	}
	if got := arrive(t, b, good); len(got) != 1 {
		t.Error("the genuine one was not delivered: the others prove nothing")
	}
}

// FuzzReceivedPDU: whatever comes for an installed context is neither delivered nor ends anything, and a
// genuine PDU is taken after it.
func FuzzReceivedPDU(f *testing.F) {
	f.Add(uint8(2), uint8(0), []byte{0x80, 0, 0, 0x12, 0x34, 1, 2, 3, 4})
	f.Add(uint8(1), uint8(2), []byte{0x83, 0xFF, 0xFF, 0x12, 0x34})
	f.Add(uint8(3), uint8(1), []byte{0x82, 0, 0, 0x12, 0x34, 0x45, 0, 0, 20})
	f.Fuzz(func(t *testing.T, algorithm, mode uint8, pdu []byte) {
		a, b := newStandardPair(t, algorithm%3+1, suite.Mode(mode%2)) // with integrity
		datagram := append(underlay.Header{Destination: idB, Source: idA, LCID: underlay.DRB}.AppendTo(nil), pdu...)
		if got := arrive(t, b, datagram); len(got) > 0 {
			t.Fatalf("delivered %x", got)
		}
		p := packet(addrA, addrB, 100, 1)
		if got := arrive(t, b, captured(t, a, b, p)); len(got) != 1 || !bytes.Equal(got[0], p) {
			t.Fatalf("afterwards %d packets", len(got))
		}
	})
}
