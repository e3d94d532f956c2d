package dataplane

import (
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/underlay"
)

const (
	// pduHeaderLen is what stands in front of the packet of a PDU.
	pduHeaderLen = underlay.HeaderLen + pdcp.DataHeaderLen
	// readAt is where packets are read to that become PDUs: behind the places where those stand that wait.
	readAt = base + maxRecords*stride
)

// turnPDUs moves what waits at a link of the standard form, at most one batch and the last super-packet: each
// packet becomes a PDU. Nothing is left to the other end's kernel, which sees whole packets.
func (t *transmitter) turnPDUs(l *Link, k *keyContext) {
	t.n = 0
	for supers := 0; supers < supersPerTurn && t.n < batchRecords; {
		read := t.contents[readAt-tundev.HeaderLen:]
		n, err := l.device.Read(read)
		if err != nil {
			t.check(l, err)
			break
		}
		if n < tundev.HeaderLen+smallest {
			l.drops.add(DropInnerMalformed, 1)
			continue
		}
		h := tundev.ReadHeader(read)
		if h.Super() {
			supers++
		}
		if t.plain(l, k, h, read[tundev.HeaderLen:n]) != nil {
			l.drops.add(DropInnerMalformed, 1)
		}
	}
	t.flushPDUs(k)
}

// plain makes whole packets of what the kernel handed over unfinished, and lets them wait.
func (t *transmitter) plain(l *Link, k *keyContext, h tundev.Header, packet []byte) error {
	if h.Super() {
		return tundev.SegmentInto(t.segment[:0], h, packet, func(segment []byte) error {
			t.addPDU(l, k, segment)
			return nil
		})
	}
	err := h.Complete(packet)
	if err == nil {
		t.addPDU(l, k, packet)
	}
	return err
}

// addPDU lets a packet wait, which is copied, and sends the batch where it was full.
func (t *transmitter) addPDU(l *Link, k *keyContext, packet []byte) {
	if len(packet) > record.MaxPacket {
		l.drops.add(DropTooBig, 1)
		return
	}
	if t.n == maxRecords {
		t.flushPDUs(k)
	}
	copy(t.contents[offset(t.n):], packet)
	t.records[t.n] = pending{length: len(packet), packets: 1, octets: len(packet)}
	t.n++
}

// flushPDUs protects and sends the packets that wait.
func (t *transmitter) flushPDUs(k *keyContext) {
	if t.n > 0 {
		t.protect(k)
	}
	t.n = 0
}

// sealPDUs makes the granted PDUs, one after the other (TS 38.323, 5.2.1).
func (t *transmitter) sealPDUs(k *keyContext, g grant) {
	used, overhead := 0, k.overhead()
	header := g.outlet.header
	header.Form = underlay.FormPDCP
	for i := range g.records {
		length := t.records[i].length
		count := uint32(g.first) + uint32(i)
		b := header.AppendTo(t.sealed[used:used])
		b = pdcp.DataHeader{SN: pdcp.SNOf(count), Session: k.session(g.outlet.id)}.AppendTo(b)
		room := t.sealed[used+pduHeaderLen : used+overhead+length]
		t.items[i] = suite.Item{Count: uint64(count), AAD: b[underlay.HeaderLen:], Text: t.contents[offset(i):][:length], Dst: room[:0:len(room)]}
		used += overhead + length
	}
	k.send.suite.Seal(t.items[:g.records])
}

// overhead is what a datagram of the context has beside its content.
func (k *keyContext) overhead() int {
	if k.standard {
		return pduHeaderLen + k.send.suite.TagLen()
	}
	return record.HeaderLen + k.send.suite.TagLen()
}
