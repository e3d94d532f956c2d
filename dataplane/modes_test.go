package dataplane_test

import (
	"bytes"
	"fmt"
	"testing"

	"pc5d/dataplane"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

// newModePair makes two ends with one context of a suite in a mode.
func newModePair(t *testing.T, id suite.ID, mode suite.Mode) (a, b *end) {
	t.Helper()
	network := udp.NewNetwork()
	a, b = newEnd(t, network, outerA), newEnd(t, network, outerB)
	for e, c := range map[*end]dataplane.Context{a: contextOf(session, true), b: contextOf(session, false)} {
		c.Suite, c.Mode = id, mode
		c.SendKey, c.RecvKey = bytes.Repeat(c.SendKey, 2)[:id.KeyLen()], bytes.Repeat(c.RecvKey, 2)[:id.KeyLen()]
		install(t, e.link, c)
	}
	return a, b
}

func eachMode(t *testing.T, run func(t *testing.T, id suite.ID, mode suite.Mode)) {
	for _, id := range []suite.ID{suite.AES128GCM, suite.AES256GCM, suite.ChaCha20Poly1305} {
		for _, mode := range []suite.Mode{suite.AEAD, suite.IntegrityOnly, suite.CipheringOnly, suite.Unprotected} {
			t.Run(fmt.Sprint(id, "/", mode), func(t *testing.T) { run(t, id, mode) })
		}
	}
}

// captured sends one packet from a and gives the datagram that left.
func captured(t *testing.T, a, b *end, packet []byte) []byte {
	t.Helper()
	a.tun.Deliver(packet)
	a.engine.Turn(a.link.Key())
	messages := udp.NewMessages(1)
	if _, err := b.conn.Receive(messages, true); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(messages[0].Data)
}

// arrive lets b receive a datagram, and gives the packets that it delivers for it.
func arrive(t *testing.T, b *end, datagram []byte) (packets [][]byte) {
	t.Helper()
	b.conn.Inject(outerA, datagram, len(datagram))
	if err := b.engine.Poll(); err != nil {
		t.Fatal(err)
	}
	for len(b.tun.Packets()) > 0 {
		packets = append(packets, <-b.tun.Packets())
	}
	return packets
}

// TestR19_P6_T56_FlagsOnTheWire: what leaves shows its payload exactly where ciphering is off and ends with
// a tag exactly where integrity is on. With integrity an altered or repeated record is refused; without,
// neither is noticed, and nothing that arrives proves that the peer lives (T56).
func TestR19_P6_T56_FlagsOnTheWire(t *testing.T) {
	eachMode(t, func(t *testing.T, id suite.ID, mode suite.Mode) {
		integrity, readable := mode == suite.AEAD || mode == suite.IntegrityOnly, mode == suite.IntegrityOnly || mode == suite.Unprotected
		a, b := newModePair(t, id, mode)
		p := packet(addrA, addrB, 1000, 0x5A)
		datagram := captured(t, a, b, p)
		if got := bytes.Contains(datagram, p); got != readable {
			t.Errorf("payload readable: %v, want %v", got, readable)
		}
		if got, want := len(datagram), record.HeaderLen+1024+map[bool]int{true: 16}[integrity]; got != want {
			t.Errorf("datagram of %d octets, want %d", got, want)
		}
		altered := bytes.Clone(datagram)
		altered[record.HeaderLen+record.FrameHeaderLen+500] ^= 1
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
			t.Errorf("drops %v, %d authentic records; want %d of each", drops, b.link.Authentic(), want)
		}
	})
}

// TestR19_HeaderIsTagged: integrity alone covers the header, too.
func TestR19_HeaderIsTagged(t *testing.T) {
	a, b := newModePair(t, suite.AES128GCM, suite.IntegrityOnly)
	datagram := captured(t, a, b, packet(addrA, addrB, 100, 1))
	datagram[record.HeaderLen-1]++ // COUNT
	got := arrive(t, b, datagram)
	if drops := b.link.Counters().Drops; len(got) != 0 || drops.Of(dataplane.DropUnverified) != 1 {
		t.Errorf("%d packets, drops %v", len(got), drops)
	}
}

// TestT56_ForgedCountEndsNothing: without integrity anybody can send any COUNT; it asks for no new
// keys and moves nothing.
func TestT56_ForgedCountEndsNothing(t *testing.T) {
	_, b, _, told := newTold(t, udp.NewNetwork())
	c := contextOf(session, false)
	c.Mode = suite.CipheringOnly
	install(t, b.link, c)
	forged := record.Header{Header: underlay.Header{Destination: idB, Source: idA, LCID: underlay.DRB}, Session: session, Count: 1<<48 - 1}.AppendTo(nil)
	forged = append(forged, make([]byte, 128)...)
	arrive(t, b, forged)
	if len(told.exhausting) != 0 || b.link.Authentic() != 0 {
		t.Errorf("exhausting %v, %d authentic records", told.exhausting, b.link.Authentic())
	}
}

// TestModesAllocateNothing: in no suite and no mode does a batch allocate.
func TestModesAllocateNothing(t *testing.T) {
	eachMode(t, func(t *testing.T, id suite.ID, mode suite.Mode) {
		a, b := newModePair(t, id, mode)
		p := packet(addrA, addrB, 1400, 2)
		step := func() {
			for range 20 {
				a.tun.Deliver(p)
			}
			a.engine.Turn(a.link.Key())
			b.drain(t, 20)
		}
		for range 30 {
			step() // the fakes' buffers grow to their size
		}
		if n := testing.AllocsPerRun(20, step); n >= 1 {
			t.Errorf("%v allocations per 20 packets", n)
		}
	})
}
