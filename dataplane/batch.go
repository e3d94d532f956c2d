package dataplane

import (
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/tundev"
)

// pending is one record of the batch.
type pending struct {
	length  int // of the content
	packets int
	octets  int
}

// offset is where the content of record i starts.
func offset(i int) int { return i * record.ContentLen }

// flush protects and sends the batch.
func (t *transmitter) flush(k *keyContext) {
	if t.n > 0 && t.records[t.n-1].length == 0 {
		t.n-- // begun for nothing
	}
	if t.n > 0 {
		if !k.standard {
			t.finish(t.n - 1)
		}
		t.protect(k)
	}
	t.n = 0
}

// fits tells whether the batch takes a packet of n octets.
func (t *transmitter) fits(k *keyContext, n int) bool {
	switch {
	case k == nil: // it is dropped
		return true
	case k.standard:
		return t.n < batchRecords
	case n > t.path.packetLen(): // it makes room itself
		return true
	}
	return t.room(n)
}

// room makes a record current that takes a packet of n octets. It is false when the batch is full.
func (t *transmitter) room(n int) bool {
	if t.n > 0 {
		begun := t.records[t.n-1].length
		if begun == 0 || !t.alone && begun+record.FrameHeaderLen+n <= t.path.ContentLen {
			return true // an empty one takes any: pack drops what no record holds
		}
	}
	if t.n == batchRecords {
		return false
	}
	t.begin()
	return true
}

// begin begins a record. The batch has room for it.
func (t *transmitter) begin() {
	if t.n > 0 {
		t.finish(t.n - 1)
	}
	t.records[t.n] = pending{}
	t.n++
}

// pack puts a packet into the current record, which has room for it.
func (t *transmitter) pack(k *keyContext, h tundev.Header, packet []byte) {
	l := k.link
	if len(packet) > t.path.packetLen() {
		t.oversize(k, h, packet)
		return
	}
	flags, ok := leave(h, packet)
	if !ok {
		l.drops.add(DropInnerMalformed, 1)
		return
	}
	r := &t.records[t.n-1]
	at := offset(t.n-1) + r.length
	record.PutPacketHeader(t.contents[at:], flags, len(packet))
	copy(t.contents[at+record.FrameHeaderLen:], packet)
	r.length += record.FrameHeaderLen + len(packet)
	r.packets++
	r.octets += len(packet)
}

// datagrams puts those of a super-packet of UDP into records: each keeps its own headers, and the receiver makes
// a train of them again.
func (t *transmitter) datagrams(w *waiting, k *keyContext) {
	h := tundev.Header{Flags: tundev.NeedsChecksum, ChecksumStart: w.header.ChecksumStart, Checksum: w.header.Checksum}
	err := tundev.Datagrams(t.segment[:0], w.header, w.packet(), func(datagram []byte) error {
		if !t.room(len(datagram)) {
			t.flush(k)
			t.room(len(datagram))
		}
		t.pack(k, h, datagram)
		return nil
	})
	if err != nil {
		w.link.drops.add(DropInnerMalformed, 1)
	}
}

// finish pads a record.
func (t *transmitter) finish(i int) {
	r := &t.records[i]
	padded := record.PaddedLen(r.length)
	clear(t.contents[offset(i)+r.length : offset(i)+padded])
	r.length = padded
}

// protect seals the batch under one key context and sends it.
func (t *transmitter) protect(k *keyContext) {
	blocks, octets := 0, 0
	for _, r := range t.records[:t.n] {
		blocks += blocksOf(r.length)
		octets += r.octets
	}
	g := k.send.reserve(t.n, blocks, octets)
	if g.exhausting {
		t.notices.exhaust(k)
	}
	t.abandon(k.link, g.records, t.n, DropKeyLimit)
	if g.records > 0 {
		if k.standard {
			t.sealPDUs(k, g)
		} else {
			t.seal(k, g)
		}
		t.send(k, g.outlet, g.records)
	}
}

// seal makes the granted records, one after the other.
func (t *transmitter) seal(k *keyContext, g grant) {
	used, tag := 0, k.send.suite.TagLen()
	for i := range g.records {
		length := t.records[i].length
		count := g.first + record.Count(i)
		aad := record.Header{Header: g.outlet.header(t.channel), Session: g.outlet.id.Session, Count: count}.AppendTo(t.sealed[used:used])
		room := t.sealed[used+record.HeaderLen : used+record.HeaderLen+length+tag]
		t.items[i] = suite.Item{Count: uint64(count), AAD: aad, Text: t.contents[offset(i):][:length], Dst: room[:0:len(room)]}
		used += record.HeaderLen + length + tag
	}
	k.send.suite.Seal(t.items[:g.records])
}

// send sends the first n records, each run of equal ones with one call; a shorter one may end
// a run.
func (t *transmitter) send(k *keyContext, out *outlet, n int) {
	l, overhead, from := k.link, k.overhead(), 0
	for i := 0; i < n; {
		j, octets := i+1, overhead+t.records[i].length
		for j < n && t.records[j].length == t.records[i].length {
			octets += overhead + t.records[j].length
			j++
		}
		if j < n && t.records[j].length < t.records[i].length {
			octets += overhead + t.records[j].length
			j++
		}
		if err := out.conn.Send(out.to, t.sealed[from:from+octets], overhead+t.records[i].length, t.class); err != nil {
			t.abandon(l, i, j, t.unsent(k, out, err))
		} else {
			packets, inner := t.sum(i, j)
			l.sent.add(packets, inner, j-i)
			t.notices.send(l)
		}
		from += octets
		i = j
	}
}

// abandon counts the packets of the records from i up to j as dropped.
func (t *transmitter) abandon(l *Link, i, j int, reason Drop) {
	if packets, _ := t.sum(i, j); packets > 0 {
		l.drops.add(reason, packets)
	}
}

func (t *transmitter) sum(i, j int) (packets, octets int) {
	for _, r := range t.records[i:j] {
		packets += r.packets
		octets += r.octets
	}
	return packets, octets
}
