package dataplane_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pc5d/dataplane"
	"pc5d/dataplane/record"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

// setPath narrows, or widens, what the records of an end have.
func (e *end) setPath(t testing.TB, contentLen int, searching bool) {
	t.Helper()
	id := contextOf(session, true).ID
	if e.conn.LocalAddr() == outerB {
		id = contextOf(session, false).ID
	}
	if err := e.link.SetPath(id, dataplane.Path{ContentLen: contentLen, Searching: searching}); err != nil {
		t.Fatal(err)
	}
}

// dropsOf counts what a link dropped for a reason.
func dropsOf(e *end, reason dataplane.Drop) uint64 {
	drops := e.link.Counters().Drops
	return drops.Of(reason)
}

// longest makes the network drop, and remember the length of, the longest datagram.
func longest(network *udp.Network, limit int) *int {
	most := new(int)
	network.Lose(func(_, _ netip.AddrPort, d []byte) bool {
		*most = max(*most, len(d))
		return len(d) > limit
	})
	return most
}

// carry sends the packets, and gives what arrives.
func carry(t testing.TB, a, b *end, packets [][]byte) (got [][]byte) {
	t.Helper()
	for _, p := range packets {
		if !a.tun.Deliver(p) {
			t.Fatal("the queue is full")
		}
	}
	a.engine.Turn(a.link.Key())
	for b.conn.Waiting() > 0 || b.engine.Inbox() > 0 {
		if err := b.engine.Poll(); err != nil {
			t.Fatal(err)
		}
	}
	for len(b.tun.Packets()) > 0 {
		got = append(got, <-b.tun.Packets())
	}
	return got
}

// TestT59_Parts: while the path is being searched every packet arrives, whatever its length, in records
// that fit the path.
func TestT59_Parts(t *testing.T) {
	for _, contentLen := range []int{1152, 1280, 1408} {
		rapid.Check(t, func(t1 *rapid.T) {
			a, b, network := newPair(t)
			a.setPath(t, contentLen, true)
			most := longest(network, contentLen+record.Overhead)
			sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(20, 1500), rapid.IntRange(20, 40000)), 1, 5).Draw(t1, "sizes")
			var packets [][]byte
			for i, n := range sizes {
				packets = append(packets, packet(addrA, addrB, n, byte(i)))
			}
			got := carry(t, a, b, packets)
			if !slices.EqualFunc(got, packets, bytes.Equal) {
				t1.Fatalf("%d of %d packets of %v octets arrived as they were; drops %v", len(got), len(packets), sizes, b.link.Counters().Drops)
			}
			if *most > contentLen+record.Overhead {
				t1.Fatalf("a datagram of %d octets for a content length of %d", *most, contentLen)
			}
		})
	}
}

// TestT59_SuperPackets: slices of a super-packet fit the path, too.
func TestT59_SuperPackets(t *testing.T) {
	for _, contentLen := range []int{1152, 1280, 1408} {
		for _, six := range []bool{false, true} {
			a, b, network := newSupers(t)
			a.setPath(t, contentLen, false)
			longest(network, contentLen+record.Overhead)
			s := newSuper(six, 12, 60000, 1348, 0x18, true)
			if !a.tun.DeliverAs(s.header, s.packet) {
				t.Fatal("the queue is full")
			}
			got := carry(t, a, b, nil)
			if want := s.segments(t); !slices.EqualFunc(got, want, bytes.Equal) {
				t.Fatalf("content length %d: %d segments, want %d; drops %v", contentLen, len(got), len(want), b.link.Counters().Drops)
			}
		}
	}
}

// TestT59_LostPart: a packet whose part is lost does not come, all others do, and what waits for it ends.
func TestT59_LostPart(t *testing.T) {
	now := time.Unix(0, 0)
	network := udp.NewNetwork()
	a := newEnd(t, network, outerA)
	b := newEndWith(t, network, outerB, func(c *dataplane.Config) { c.Now = func() time.Time { return now } })
	install(t, a.link, contextOf(session, true))
	install(t, b.link, contextOf(session, false))
	a.setPath(t, 1152, true)
	lose := true
	network.Lose(func(netip.AddrPort, netip.AddrPort, []byte) bool { defer func() { lose = !lose }(); return lose })
	for n := range 8 {
		carry(t, a, b, [][]byte{packet(addrA, addrB, 1280, byte(n))}) // the first part of each is lost
	}
	network.Lose(func(netip.AddrPort, netip.AddrPort, []byte) bool { return false })
	late := packet(addrA, addrB, 1280, 9)
	if got := carry(t, a, b, [][]byte{late}); len(got) != 1 || !bytes.Equal(got[0], late) {
		t.Fatalf("got %d packets behind lost parts", len(got))
	}
	now = now.Add(2 * time.Second)
	carry(t, a, b, [][]byte{late})
	if n := dropsOf(b, dataplane.DropIncomplete); n != 8 {
		t.Errorf("%d packets counted as incomplete, want 8", n)
	}
}

// TestT59_TooLong: the socket's refusal is told once, until the path was set again.
func TestT59_TooLong(t *testing.T) {
	network := udp.NewNetwork()
	told := 0
	a := newEndWith(t, network, outerA, func(c *dataplane.Config) { c.TooLong = func(string) { told++ } })
	install(t, a.link, contextOf(session, true))
	a.conn.SetLimit(1300)
	for range 5 {
		a.tun.Deliver(packet(addrA, addrB, 1400, 1))
		a.engine.Turn(a.link.Key())
	}
	if drops := a.link.Counters().Drops; told != 1 || drops.Of(dataplane.DropTooBig) != 5 {
		t.Fatalf("told %d times, drops %v", told, drops)
	}
	a.setPath(t, 1408, false)
	s := newSuper(false, 12, 60000, 1348, 0x18, true)
	a.tun.DeliverAs(s.header, s.packet)
	a.engine.Turn(a.link.Key())
	if told != 2 {
		t.Fatalf("told %d times after the path was set again", told)
	}
	if err := a.link.SendEcho(netip.AddrPort{}, record.Token{1}, 1408); err != udp.ErrTooLong {
		t.Fatalf("an echo of 1408 octets: %v", err)
	}
}

// TestT59_SetPath refuses lengths that no record has.
func TestT59_SetPath(t *testing.T) {
	a, _, _ := newPair(t)
	for _, n := range []int{-1, 128, 1024, 1153, 1536, 65536} {
		if err := a.link.SetPath(contextOf(session, true).ID, dataplane.Path{ContentLen: n}); err == nil {
			t.Errorf("a content length of %d was taken", n)
		}
	}
}

// TestT59_Echo: a request of any length is answered by a short record, and no faster than allowed.
func TestT59_Echo(t *testing.T) {
	now := time.Unix(0, 0)
	network := udp.NewNetwork()
	var got []record.Token
	clock := func(c *dataplane.Config) {
		c.Now = func() time.Time { return now }
		c.Echoed = func(_ string, token record.Token) { got = append(got, token) }
	}
	a, b := newEndWith(t, network, outerA, clock), newEndWith(t, network, outerB, clock)
	install(t, a.link, contextOf(session, true))
	install(t, b.link, contextOf(session, false))
	answers := 0
	network.Lose(func(from, _ netip.AddrPort, d []byte) bool {
		if from == outerB {
			answers++
			if len(d) != record.Overhead+record.EchoAnswerLen {
				t.Errorf("an answer of %d octets", len(d))
			}
		}
		return false
	})
	ask := func(token byte, contentLen int) {
		if err := a.link.SendEcho(netip.AddrPort{}, record.Token{token}, contentLen); err != nil {
			t.Fatal(err)
		}
		for _, e := range []*end{b, a} {
			for e.conn.Waiting() > 0 {
				if err := e.engine.Poll(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	ask(1, 128)
	ask(2, 1408)
	if !slices.Equal(got, []record.Token{{1}, {2}}) {
		t.Fatalf("got answers %v", got)
	}
	for range 100 {
		ask(3, 128)
	}
	if answers > 20 || dropsOf(b, dataplane.DropEcho) != uint64(102-answers) {
		t.Errorf("%d answers in a second, drops %v", answers, b.link.Counters().Drops)
	}
	now = now.Add(time.Second)
	ask(4, 128)
	if got[len(got)-1] != (record.Token{4}) {
		t.Error("nothing is answered in the next second")
	}
	// Shorter than an answer, or of another token length: not answered.
	was := answers
	for i, content := range [][]byte{record.Echo{}.AppendTo(nil), append(record.Echo{}.AppendTo(nil), make([]byte, 115)...), append([]byte{4, 0, 0, 9}, make([]byte, 200)...)} {
		first := sealed(t, recordCount(uint64(1000+i)), content)
		b.conn.Inject(outerA, first, len(first))
		if err := b.engine.Poll(); err != nil {
			t.Fatal(err)
		}
	}
	if answers != was {
		t.Errorf("%d short or odd requests were answered", answers-was)
	}
}

// fragmentOf is a FRAGMENT frame.
func fragmentOf(f record.Fragment, part []byte) []byte {
	b := make([]byte, record.FragmentHeaderLen, record.FragmentHeaderLen+len(part))
	f.Put(b, len(part))
	return append(b, part...)
}

// assembly is the plain oracle of reassembly: one packet at a time, octet by octet.
type assembly struct {
	packets map[uint32]*assembled
	done    [][]byte
}

type assembled struct {
	first  record.Fragment
	octets map[int]byte
	parts  int
}

func (o *assembly) add(f record.Fragment, part []byte) {
	if len(part) == 0 || f.Offset+len(part) > f.Total {
		return
	}
	p := o.packets[f.ID]
	if p == nil {
		p = &assembled{first: f, octets: map[int]byte{}}
		o.packets[f.ID] = p
	}
	bad := f.Total != p.first.Total || f.Flags != p.first.Flags || p.parts == 64
	for i := range part {
		_, there := p.octets[f.Offset+i]
		bad = bad || there
	}
	if bad {
		delete(o.packets, f.ID)
		return
	}
	p.parts++
	for i, b := range part {
		p.octets[f.Offset+i] = b
	}
	if len(p.octets) < f.Total {
		return
	}
	delete(o.packets, f.ID)
	whole := make([]byte, f.Total)
	for i := range whole {
		whole[i] = p.octets[i]
	}
	o.done = append(o.done, whole)
}

// FuzzT59_Reassembly: any parts of up to four packets. What comes out is what the oracle makes of them.
func FuzzT59_Reassembly(f *testing.F) {
	f.Add([]byte{0, 0, 0, 60, 0, 60, 0, 60})
	f.Add([]byte{0, 10, 0, 60, 0, 0, 0, 9, 1, 0, 0, 120, 2, 5, 0, 3})
	f.Add(bytes.Repeat([]byte{3, 1, 0, 1}, 70))
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 4*300 {
			return
		}
		_, b, _ := newPair(t)
		oracle := assembly{packets: map[uint32]*assembled{}}
		p := packet(addrA, addrB, 120, 7)
		for n := 0; len(script) >= 4; n++ {
			id, at, variant, length := uint32(script[0]%4), int(script[1])%120, script[2], int(script[3])%121
			script = script[4:]
			h := record.Fragment{ID: id, Total: 120, Offset: at}
			switch variant {
			case 1:
				h.Total = 121
			case 2:
				h.Total = 20
			}
			part := p[at:min(at+length, len(p))]
			oracle.add(h, part)
			d := sealed(t, recordCount(uint64(n)), fragmentOf(h, part))
			b.conn.Inject(outerA, d, len(d))
			if err := b.engine.Poll(); err != nil {
				t.Fatal(err)
			}
		}
		var want [][]byte
		for _, whole := range oracle.done {
			if len(whole) == int(binary.BigEndian.Uint16(whole[2:])) {
				want = append(want, whole)
			}
		}
		for i, w := range want {
			if len(b.tun.Packets()) == 0 {
				t.Fatalf("packet %d of %d did not come", i, len(want))
			}
			if got := <-b.tun.Packets(); !bytes.Equal(got, w) {
				t.Fatalf("packet %d: got %x, want %x", i, got, w)
			}
		}
		if n := len(b.tun.Packets()); n > 0 {
			t.Fatalf("%d packets that the oracle has not", n)
		}
	})
}

// TestT59_PartsAllocate nothing, once their buffers are there.
func TestT59_PartsAllocate(t *testing.T) {
	a, b, _ := newPair(t)
	a.setPath(t, 1152, true)
	p := packet(addrA, addrB, 1280, 1)
	round := func() {
		a.tun.Deliver(p)
		a.engine.Turn(a.link.Key())
		b.drain(t, 1)
	}
	for range 32 {
		round()
	}
	if n := testing.AllocsPerRun(50, round); n >= 1 {
		t.Errorf("%v allocations for a packet in parts", n)
	}
}

// TestT59_T60_MarkedParts: what the network marks the parts of a packet with reaches the packet, or ends it
// where its sender does not know marks.
func TestT59_T60_MarkedParts(t *testing.T) {
	const ect0, ce = 2, 3
	for inner, want := range map[byte]byte{0: 0, ect0: ce} {
		a, b, network := newPair(t)
		a.setPath(t, 1152, true)
		network.Mark(func(uint8) uint8 { return ce })
		got := carry(t, a, b, [][]byte{withClass(packet(addrA, addrB, 1280, 0), inner)})
		switch {
		case want == 0:
			if len(got) != 0 || dropsOf(b, dataplane.DropCongested) != 1 {
				t.Errorf("%d packets that know no marks arrived", len(got))
			}
		case len(got) != 1 || got[0][1] != want:
			t.Errorf("%d packets arrived, drops %v", len(got), b.link.Counters().Drops)
		}
	}
}

// TestT59_DatagramsInParts: the datagrams of a super-packet of UDP arrive over a narrow path, or their
// sender is told.
func TestT59_DatagramsInParts(t *testing.T) {
	for _, searching := range []bool{true, false} {
		for _, size := range []int{700, 1200, 1300, 1372} {
			a, b, network := newSupers(t)
			a.setPath(t, 1152, searching)
			longest(network, 1152+record.Overhead)
			h, p := datagram(false, 9, 0, 0x40, bytes.Repeat([]byte{1}, 40*size))
			h.GSOType, h.GSOSize = tundev.GSOUDP, uint16(size)
			if !a.tun.DeliverAs(h, p) {
				t.Fatal("the queue is full")
			}
			got, told := carry(t, a, b, nil), len(a.tun.Packets())
			if fits := searching || size+28 <= 1280; fits && len(got) != 40 || !fits && (len(got) != 0 || told == 0) {
				t.Errorf("searching %v, datagrams of %d: %d of 40 arrived, %d answers; drops %v", searching, size, len(got), told, a.link.Counters().Drops)
			}
		}
	}
}
