package dataplane

import (
	"encoding/binary"

	"pc5d/dataplane/underlay"
)

const (
	// flowCount is how many flows are told apart; those that share a number share a turn.
	flowCount = 256
	// quantum is how many octets a flow may send before the next one's turn.
	quantum = 16384
	// packetCost is what a packet costs besides its octets, as octets: two system calls.
	packetCost = 512
	// settled is how many octets must have left after the last packet of a flow that may wait for others
	// at the receiver, until its next packet may overtake: more than stands in a receiver.
	settled = 32 << 20
)

// flowState is the list that a flow is in.
type flowState uint8

const (
	flowIdle  flowState = iota // none
	flowFresh                  // began lately: before all others, for one quantum
	flowOld
)

// flow is a queue of packets that stay in their order.
type flow struct {
	state      flowState
	lost       bool // the next packet is to be dropped, so that the sender slows down
	bulk       bool // left and by are set
	left       uint64
	by         uint32 // key of the link that left is of
	deficit    int
	octets     int
	head, tail *waiting
	next       *flow
}

// fairQueue orders the packets of all links: flows that send little go first, the others take turns, as
// with fq_codel (RFC 8290, 4). One worker uses it.
type fairQueue struct {
	flows      [flowCount]flow
	fresh, old flowList
	sent       uint64 // octets of packets that did not overtake
}

// put appends a packet to its flow.
func (q *fairQueue) put(w *waiting) {
	f := &q.flows[flowOf(w.link.key, w.packet())%flowCount]
	w.next = nil
	if f.head == nil {
		f.head = w
	} else {
		f.tail.next = w
	}
	f.tail = w
	f.octets += w.n
	if f.state == flowIdle {
		f.state, f.deficit = flowFresh, quantum
		q.fresh.push(f)
	}
}

// next is the flow whose first packet is to be sent; nil: nothing waits.
func (q *fairQueue) next() *flow {
	for {
		list := &q.fresh
		if list.head == nil {
			list = &q.old
		}
		f := list.head
		switch {
		case f == nil:
			return nil
		case f.deficit <= 0: // also one that is empty: else it would come back with a quantum instead of a debt
			f.deficit += quantum
		case f.head != nil:
			return f
		case f.state == flowOld || q.old.head == nil:
			list.pop()
			f.state = flowIdle
			continue
		}
		list.pop() // a fresh flow that is empty waits for the others' turn, too
		f.state = flowOld
		q.old.push(f)
	}
}

// pop takes the first packet of the flow that next gave.
func (q *fairQueue) pop(f *flow) *waiting {
	w := f.head
	f.head, w.next = w.next, nil
	f.octets -= w.n
	f.deficit -= w.n + packetCost
	return w
}

// channel is what the first packet of a flow leaves through. It may overtake those of other flows, here
// and at the receiver, where it overtakes none of its own. The standard form has one channel.
func (q *fairQueue) channel(f *flow, k *keyContext) underlay.LCID {
	if k != nil && k.standard {
		return underlay.DRB
	}
	l := f.head.link
	if f.state == flowFresh && !f.head.header.Super() && (!f.bulk || f.by == l.key && l.queued-f.left >= settled) {
		return underlay.DRBSparse
	}
	return underlay.DRB
}

// queued notes that a packet of the flow leaves that does not overtake. What leaves for other peers says
// nothing about the receiver where it may wait.
func (q *fairQueue) queued(f *flow, w *waiting) {
	q.sent += uint64(w.n)
	w.link.queued += uint64(w.n)
	f.bulk, f.left, f.by = true, w.link.queued, w.link.key
}

// longest is the flow with most octets; nil: nothing waits.
func (q *fairQueue) longest() *flow {
	var most *flow
	for i := range q.flows {
		if f := &q.flows[i]; f.head != nil && (most == nil || f.octets > most.octets) {
			most = f
		}
	}
	return most
}

// flowList is a list of flows, first in first out.
type flowList struct{ head, tail *flow }

func (l *flowList) push(f *flow) {
	f.next = nil
	if l.head == nil {
		l.head = f
	} else {
		l.tail.next = f
	}
	l.tail = f
}

func (l *flowList) pop() { l.head = l.head.next }

// flowOf gives packets of one flow the same number: link, addresses, and the ports where every packet of
// the flow has them.
func flowOf(link uint32, p []byte) uint32 {
	from, to, protocol := 12, headerLenIPv4, p[9]
	whole := binary.BigEndian.Uint16(p[6:])&0x3FFF == 0 && p[0]&0x0F == headerLenIPv4/4
	if p[0]>>4 == 6 {
		from, to, protocol, whole = 8, headerLenIPv6, p[6], true
	}
	if whole && (protocol == protocolTCP || protocol == protocolUDP) {
		to += 4
	}
	h := uint64(link)<<8 | uint64(protocol)
	for at := from; at < to && at+4 <= len(p); at += 4 {
		h = (h ^ uint64(binary.BigEndian.Uint32(p[at:]))) * 0x9E3779B97F4A7C15
		h ^= h >> 29
	}
	return uint32(h >> 32)
}
