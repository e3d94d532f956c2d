package dataplane_test

import (
	"bytes"
	"testing"

	"pc5d/dataplane/record"
)

func recordCount(n uint64) record.Count { return record.Count(n) }

// sealed is an authentic record of a to b with any content.
func sealed(t testing.TB, count record.Count, content []byte) []byte {
	t.Helper()
	return sealedUnder(t, contextOf(session, true).ID, count, content)
}

// FuzzDecap: any buffer cut at any segment size. Nothing unauthentic reaches the interface.
func FuzzDecap(f *testing.F) {
	p := packet(addrA, addrB, 100, 1)
	good := sealed(f, 0, record.AppendPad(record.AppendPacket(nil, p), 0))
	f.Add(good, len(good))
	f.Add(append(bytes.Clone(good), good...), len(good))
	f.Add(append(bytes.Clone(good), good[:30]...), len(good))
	f.Add(good, 1)
	f.Add(good, -1)
	f.Add([]byte{0x10, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3}, 8)
	f.Fuzz(func(t *testing.T, buffer []byte, segment int) {
		if len(buffer) > 65507 {
			return
		}
		_, b, _ := newPair(t)
		go func() { // nobody reads the signalling otherwise
			for range b.signals {
			}
		}()
		defer close(b.signals)
		b.conn.Inject(outerA, buffer, segment)
		if err := b.engine.Poll(); err != nil {
			t.Fatal(err)
		}
		if n := len(b.tun.Packets()); n > 1 || n == 1 && !bytes.Equal(<-b.tun.Packets(), p) {
			t.Fatalf("%d packets, or a changed one, came out of %x", n, buffer)
		}
	})
}

// FuzzDecapContent: an authentic peer sends any content. What reaches the interface passed the
// inner filter, and the record behind is delivered whole.
func FuzzDecapContent(f *testing.F) {
	p := packet(addrA, addrB, 100, 1)
	f.Add(record.AppendPacket(record.AppendPacket(nil, p), p[:20]))
	f.Add([]byte{1, 0, 0xff, 0xff})
	f.Add([]byte{7, 0, 0, 1, 9, 1, 0, 0, 1, 0x45})
	s := newSuper(false, 12, 3000, 1348, 0x18, true)
	slice := make([]byte, record.SegmentHeaderLen)
	record.Segment{Kind: record.TCPv4, HeaderLen: s.headers, Size: 1348, ECN: true}.Put(slice, 200)
	f.Add(append(slice, s.packet[:s.headers+200]...))
	f.Add(record.AppendPacket(append(slice, s.packet[:s.headers+200]...), p))
	f.Add(append(fragmentOf(record.Fragment{Total: 100}, p[:40]), fragmentOf(record.Fragment{Total: 100, Offset: 40}, p[40:])...))
	f.Add(append(fragmentOf(record.Fragment{Total: 100}, p[:40]), fragmentOf(record.Fragment{Total: 100, Offset: 39}, p[40:])...))
	f.Add(record.AppendPad(record.Echo{}.AppendTo(nil), 0))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 8000 {
			return
		}
		_, b, _ := newPair(t)
		first := sealed(t, 0, content)
		b.conn.Inject(outerA, first, len(first))
		second := sealed(t, 1, record.AppendPacket(nil, p))
		b.conn.Inject(outerA, second, len(second))
		if err := b.engine.Poll(); err != nil {
			t.Fatal(err)
		}
		if full := 500; len(b.tun.Packets()) == full {
			return // the queue is full
		}
		var last []byte
		for len(b.tun.Packets()) > 0 {
			last = <-b.tun.Packets()
			if !bytes.Equal(last[12:16], addrA.AsSlice()) {
				t.Fatalf("a packet from %v passed", last[12:16])
			}
		}
		if !bytes.Equal(last, p) {
			t.Fatalf("the record behind content %x came out as %x", content, last)
		}
	})
}
