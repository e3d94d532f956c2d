package dataplane

import (
	"time"

	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

// acceptPDU does the cheap checks and queues a PDU of the standard form for opening. Its COUNT is found
// then: it depends on the PDUs before.
func (r *receiver) acceptPDU(t *table, m *udp.Message, datagram []byte) {
	u, pdu, err := underlay.Parse(datagram)
	if err != nil {
		r.engine.drops.add(DropMalformed, 1)
		return
	}
	h, err := pdcp.ParseData(pdu)
	if err != nil {
		r.engine.drops.add(DropMalformed, 1)
		return
	}
	k := t.contexts[newContextWord(u.Destination, u.Source, h.Session)]
	if k == nil || !k.standard {
		r.engine.drops.add(DropUnknownContext, 1)
		r.stray = stray{m.From, u}
		return
	}
	r.enqueue(k, m, suite.Item{Count: uint64(h.SN), AAD: pdu[:pdcp.DataHeaderLen], Text: pdu[pdcp.DataHeaderLen:]})
}

// openPDUs opens PDUs in their order: OK tells which are good, the others are counted. It reports whether
// the key needs a successor. Items come with the SN in place of the COUNT.
//
// TS 38.323, 5.2.2.1. RX_NEXT is the window's; RX_DELIV trails it by the size of the window, because
// packets are delivered as they come.
func (k *receiveKey) openPDUs(items []suite.Item, f *innerFilter, clock func() time.Time, drops *dropped) (exhausting bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range items {
		reason, ok := k.openPDULocked(items[i:i+1], f, clock)
		if ok {
			k.doubt.take()
			continue
		}
		items[i].OK = false
		drops.add(reason, 1)
		now := clock()
		if reason == DropUnverified {
			k.used.failures++
			k.doubt.fail(now)
		}
		k.doubt.refuse(now)
		exhausting = exhausting || k.doubt.deaf(now)
	}
	if k.window != nil {
		k.used.next = k.window.Next()
	}
	return k.limits.reached(&k.used) || exhausting
}

// openPDULocked opens one PDU. State changes only by a good one.
func (k *receiveKey) openPDULocked(one []suite.Item, f *innerFilter, clock func() time.Time) (Drop, bool) {
	it := &one[0]
	count, known := pdcp.CountOf(k.delivLocked(), pdcp.DataSN(it.Count))
	switch it.Count = uint64(count); {
	case k.mode == suite.Unprotected: // nothing goes by COUNT
	case !known:
		return DropTooOld, false
	case k.window == nil:
	default:
		if v := k.window.Check(record.Count(count)); v != record.Fresh {
			return replayDrop(v), false
		}
		if k.doubt.spent(clock) {
			return DropRate, false
		}
	}
	k.suite.Open(one)
	if !it.OK {
		return DropUnverified, false
	}
	k.used.records++
	k.used.blocks += uint64(blocksOf(len(it.Dst)))
	switch {
	case k.mode == suite.Unprotected:
		return 0, true
	case k.window == nil:
		return k.believeLocked(uint64(count), it.Dst, f)
	}
	v := k.window.Commit(record.Count(count))
	return replayDrop(v), v == record.Fresh
}

// believeLocked takes a COUNT that nothing authenticates. Under a wrong COUNT what was deciphered is no
// packet from the peer's prefixes to ours: such a one does not move HFN, which anybody could, then.
func (k *receiveKey) believeLocked(count uint64, packet []byte, f *innerFilter) (Drop, bool) {
	if reason, ok := f.judge(packet); !ok {
		return reason, false
	}
	k.next = max(k.next, count+1)
	return 0, true
}

// delivLocked is RX_DELIV.
func (k *receiveKey) delivLocked() uint64 {
	next := k.next
	if k.window != nil {
		next = uint64(k.window.Next())
	}
	return next - min(next, record.DefaultWindow)
}

// deliverPDU writes the packet of one PDU that opened, which starts at contents[start].
func (r *receiver) deliverPDU(k *keyContext, packet []byte, start int, got *delivered) {
	if reason, ok := k.admit(packet, r.class); !ok {
		k.link.drops.add(reason, 1)
		return
	}
	out := r.contents[start-tundev.HeaderLen : start+len(packet)]
	tundev.Header{}.Put(out) // a whole packet: no checksum is left to the kernel
	if _, err := k.link.device.Write(out); err != nil {
		k.link.drops.add(deviceDrop(err), 1)
		return
	}
	got.packets++
	got.octets += len(packet)
}
