package dataplane

import (
	"pc5d/dataplane/record"
	"pc5d/dataplane/tundev"
)

// leastPart is the shortest part of a packet that is worth the rest of a record.
const leastPart = 128

// oversize sends a packet that no record of the path takes: in parts, unless its sender can be told to
// make smaller ones. Where the path takes whole records, the packet is long because the operator wanted
// an interface with a large MTU.
func (t *transmitter) oversize(k *keyContext, h tundev.Header, packet []byte) {
	settled := !t.path.Searching && t.path.ContentLen < record.ContentLen
	if settled && len(packet) > leastMTU && t.tell(k.link, packet, leastMTU) {
		k.link.drops.add(DropTooBig, 1)
		return
	}
	flags, ok := leave(h, packet)
	if !ok {
		k.link.drops.add(DropInnerMalformed, 1)
		return
	}
	t.parts(k, packet, flags)
}

// parts puts a packet into as many records as it needs, the first of which may have begun.
func (t *transmitter) parts(k *keyContext, packet []byte, flags byte) {
	t.fragment++
	for at := 0; at < len(packet); {
		r := t.recordFor(k)
		n := min(len(packet)-at, t.path.ContentLen-r.length-record.FragmentHeaderLen)
		b := t.contents[offset(t.n-1)+r.length:]
		record.Fragment{Flags: flags, ID: t.fragment, Total: len(packet), Offset: at}.Put(b, n)
		copy(b[record.FragmentHeaderLen:], packet[at:at+n])
		r.length += record.FragmentHeaderLen + n
		at += n
		if at == len(packet) {
			r.packets++
			r.octets += len(packet)
		}
	}
}

// recordFor is a record with room for a part; the batch leaves where it is full.
func (t *transmitter) recordFor(k *keyContext) *pending {
	if t.n > 0 && t.records[t.n-1].length+record.FragmentHeaderLen+leastPart <= t.path.ContentLen {
		return &t.records[t.n-1]
	}
	if t.n == batchRecords {
		t.flush(k)
	}
	t.begin()
	return &t.records[t.n-1]
}

// tooLongPDU ends a packet of the standard form, which has no parts: its sender is told where that is
// allowed. Over IPv6 nobody is told of less than 1280 octets, so that a path needs 1345 to carry them.
func (t *transmitter) tooLongPDU(l *Link, packet []byte) {
	mtu := t.path.pduLen()
	if packet[0]>>4 == 6 {
		mtu = max(mtu, leastMTU)
	}
	if len(packet) > mtu {
		t.tell(l, packet, mtu)
	}
	l.drops.add(DropTooBig, 1)
}
