package dataplane

import (
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/underlay"
)

// pduHeaderLen is what stands in front of the packet of a PDU.
const pduHeaderLen = underlay.HeaderLen + pdcp.DataHeaderLen

// plain makes whole packets of what the kernel handed over unfinished, and lets them wait: each becomes a
// PDU. Nothing is left to the other end's kernel.
func (t *transmitter) plain(w *waiting, k *keyContext) {
	var err error
	if w.header.Super() {
		err = tundev.SegmentInto(t.segment[:0], w.header, w.packet(), func(segment []byte) error {
			t.addPDU(w.link, k, segment)
			return nil
		})
	} else if err = w.header.Complete(w.packet()); err == nil {
		t.addPDU(w.link, k, w.packet())
	}
	if err != nil {
		w.link.drops.add(DropInnerMalformed, 1)
	}
}

// addPDU lets a packet wait, which is copied, and sends the batch where it is full.
func (t *transmitter) addPDU(l *Link, k *keyContext, packet []byte) {
	if len(packet) > t.path.pduLen() {
		t.tooLongPDU(l, packet)
		return
	}
	if t.n == batchRecords {
		t.flush(k)
	}
	copy(t.contents[offset(t.n):], packet)
	t.records[t.n] = pending{length: len(packet), packets: 1, octets: len(packet)}
	t.n++
}

// sealPDUs makes the granted PDUs, one after the other (TS 38.323, 5.2.1).
func (t *transmitter) sealPDUs(k *keyContext, g grant) {
	used, overhead := 0, k.overhead()
	header := g.outlet.header(underlay.DRB)
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
