package dataplane

import (
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/underlay"
)

const (
	// maxHeaders is the length of the longest IP and TCP headers: 60 octets each.
	maxHeaders = 120
	// chunkRecords is how many full records leave with one send: 45 are 64,800 octets.
	chunkRecords = 45
	// smallestSegment is the least payload of a segment that the receiving kernel is asked to make: a peer
	// must not make it cut 64 kB into single octets.
	smallestSegment = 64
)

// super is the sending of one TCP super-packet: slices of its payload, each with the headers in front.
// A slice is sealed where it was read; its headers overwrite the end of the slice before, which is
// sealed already, so that only headers are copied.
type super struct {
	template [maxHeaders]byte
	segment  record.Segment
	payload  int // where it starts in contents
	total    int // octets of payload
	slice    int // octets in each record but the last
}

// room is how many octets stand in front of a slice.
func (s *super) room() int { return record.SegmentHeaderLen + s.segment.HeaderLen }

// length is the number of octets of slice i.
func (s *super) length(i int) int { return min(s.slice, s.total-i*s.slice) }

func (s *super) records() int { return (s.total + s.slice - 1) / s.slice }

// read takes the headers of a super-packet that stands in contents, to be sent in records with so many
// octets of content. It is false where it is none.
func (s *super) read(h tundev.Header, contents []byte, at, n, contentLen int) bool {
	packet := contents[at : at+n]
	headers, ok := tundev.ParseTCP(packet)
	kind, want := record.TCPv4, uint8(tundev.GSOTCPv4)
	if ok && packet[0]>>4 == 6 {
		kind, want = record.TCPv6, tundev.GSOTCPv6
	}
	if !ok || headers.All >= n || h.GSOType&^tundev.GSOECN != want || h.GSOSize < smallestSegment {
		return false
	}
	if h.Flags&tundev.NeedsChecksum == 0 || int(h.ChecksumStart) != headers.IP || h.Checksum != 16 {
		return false
	}
	s.segment = record.Segment{Kind: kind, ECN: h.GSOType&tundev.GSOECN != 0, HeaderLen: headers.All, Size: int(h.GSOSize)}
	copy(s.template[:], packet[:headers.All])
	s.payload, s.total, s.slice = at+headers.All, n-headers.All, contentLen-s.room()
	return true
}

// frame puts the headers in front of slice i and gives the content of its record.
func (s *super) frame(contents []byte, i int) []byte {
	start := s.payload + i*s.slice
	end := start + s.length(i)
	content := contents[start-s.room() : end]
	s.segment.Offset, s.segment.Last = i*s.slice, i == s.records()-1
	s.segment.Put(content, end-start)
	copy(content[record.SegmentHeaderLen:], s.template[:s.segment.HeaderLen])
	padded := record.PaddedLen(len(content)) // only the last one is shorter than a record
	content = contents[start-s.room() : start-s.room()+padded]
	clear(content[end-start+s.room():])
	return content
}

// whole sends a super-packet; one that is to lose a slice, so that its sender slows down, without the
// first.
func (t *transmitter) whole(w *waiting, k *keyContext, lost bool) {
	if !t.super.read(w.header, w.buffer, front, w.n, t.path.ContentLen) {
		w.link.drops.add(DropInnerMalformed, 1)
		return
	}
	from := 0
	if lost {
		from = 1
		w.link.drops.add(DropQueueFull, 1)
	}
	for ; from < t.super.records(); from += chunkRecords {
		t.chunk(w, k, from, min(from+chunkRecords, t.super.records()))
	}
}

// chunk seals the records of slices from up to to, and sends them with one call.
func (t *transmitter) chunk(w *waiting, k *keyContext, from, to int) {
	l, s, octets := w.link, &t.super, 0
	for i := from; i < to; i++ {
		octets += s.length(i)
	}
	packets := (octets + s.segment.Size - 1) / s.segment.Size
	if from == 0 {
		octets += s.segment.HeaderLen
	}
	g := k.send.reserve(to-from, (to-from)*blocksOf(t.path.ContentLen), octets)
	if g.exhausting {
		t.notices.exhaust(k)
	}
	if g.records < to-from { // the key ends: what could still be sent is a torn packet
		l.drops.add(DropKeyLimit, packets)
		return
	}
	header := g.outlet.header(underlay.DRB)
	used, overhead := 0, record.HeaderLen+k.send.suite.TagLen()
	for i := from; i < to; i++ {
		content := s.frame(w.buffer, i)
		count := g.first + record.Count(i-from)
		aad := record.Header{Header: header, Session: g.outlet.id.Session, Count: count}.AppendTo(t.sealed[used:used])
		room := t.sealed[used+record.HeaderLen : used+overhead+len(content)]
		t.items[0] = suite.Item{Count: uint64(count), AAD: aad, Text: content, Dst: room[:0:len(room)]}
		k.send.suite.Seal(t.items[:1])
		used += overhead + len(content)
	}
	if err := g.outlet.conn.Send(g.outlet.to, t.sealed[:used], overhead+t.path.ContentLen, t.class); err != nil {
		l.drops.add(t.unsent(k, g.outlet, err), packets)
		return
	}
	l.sent.add(packets, octets, to-from)
	t.notices.send(l)
}
