package dataplane

import (
	"iter"
	"sync/atomic"
)

// Traffic counts one direction of a link. Packets and octets are those of the inner packets.
type Traffic struct{ Packets, Octets, Records uint64 }

// Drops counts dropped packets by reason; where no packet is known yet, datagrams or records.
type Drops [dropCount]uint64

// Of is the count of one reason.
func (d *Drops) Of(reason Drop) uint64 { return d[reason] }

// All gives every reason and its count, also those of 0.
func (d *Drops) All() iter.Seq2[Drop, uint64] {
	return func(yield func(Drop, uint64) bool) {
		for i, n := range d {
			if !yield(Drop(i), n) {
				return
			}
		}
	}
}

// Counters are the counters of a link since it was added.
type Counters struct {
	Sent, Received Traffic
	Drops          Drops
}

// traffic and dropped are what the workers write and everybody reads.
type traffic struct{ packets, octets, records atomic.Uint64 }

func (t *traffic) add(packets, octets, records int) {
	t.packets.Add(uint64(packets))
	t.octets.Add(uint64(octets))
	t.records.Add(uint64(records))
}

func (t *traffic) snapshot() Traffic {
	return Traffic{Packets: t.packets.Load(), Octets: t.octets.Load(), Records: t.records.Load()}
}

type dropped [dropCount]atomic.Uint64

func (d *dropped) add(reason Drop, n int) { d[reason].Add(uint64(n)) }

func (d *dropped) snapshot() (out Drops) {
	for i := range d {
		out[i] = d[i].Load()
	}
	return out
}
