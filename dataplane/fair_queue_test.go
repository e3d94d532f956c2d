package dataplane

import (
	"encoding/binary"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pc5d/dataplane/tundev"
	"pc5d/dataplane/underlay"
)

// waitingPacket is a UDP packet of one of some flows, with a serial number.
func waitingPacket(l *Link, port uint16, serial, n int, super bool) *waiting {
	w := &waiting{link: l, buffer: make([]byte, front+n+back), n: n}
	p := w.packet()
	p[0], p[9] = 0x45, protocolUDP
	binary.BigEndian.PutUint16(p[22:], port)
	binary.BigEndian.PutUint32(p[28:], uint32(serial))
	if super {
		w.header = tundev.Header{GSOType: tundev.GSOTCPv4, GSOSize: 1348}
	}
	return w
}

// TestFairQueueKeepsOrder: whatever comes and goes, nothing is lost, each flow stays in its order, what
// overtakes overtakes nothing of its flow that may still wait at the receiver, and no flow waits for
// more than its share of the others.
func TestFairQueueKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q fairQueue
		l := &Link{}
		serial, waiting := 0, map[uint16][]int{}
		lastQueued := map[uint32]uint64{}
		passed := map[uint16]int{} // octets of others since a flow's head came to wait
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			if rapid.IntRange(0, 2).Draw(t, "put") > 0 {
				port := uint16(rapid.IntRange(1, 6).Draw(t, "port"))
				super := port > 4
				n := rapid.IntRange(64, 1400).Draw(t, "octets")
				if super {
					n = rapid.IntRange(3000, 60000).Draw(t, "super")
				}
				q.put(waitingPacket(l, port, serial, n, super))
				waiting[port] = append(waiting[port], serial)
				serial++
				continue
			}
			f := q.next()
			if f == nil {
				if n := len(slices.Collect(func(yield func(int) bool) {
					for _, w := range waiting {
						for _, s := range w {
							if !yield(s) {
								return
							}
						}
					}
				})); n > 0 {
					t.Fatalf("nothing is next, and %d wait", n)
				}
				continue
			}
			channel := q.channel(f, nil)
			w := q.pop(f)
			p := w.packet()
			port, number := binary.BigEndian.Uint16(p[22:]), int(binary.BigEndian.Uint32(p[28:]))
			if waiting[port][0] != number {
				t.Fatalf("packet %d of flow %d before %d", number, port, waiting[port][0])
			}
			waiting[port] = waiting[port][1:]
			bucket := flowOf(0, p) % flowCount
			if last, ok := lastQueued[bucket]; channel == underlay.DRBSparse && ok && q.sent-last < settled {
				t.Fatalf("flow %d overtakes itself, %d octets behind", port, q.sent-last)
			}
			if channel == underlay.DRB {
				q.queued(f, w)
				lastQueued[bucket] = q.sent
			}
			passed[port] = 0
			for other, ws := range waiting {
				if other == port || len(ws) == 0 {
					continue
				}
				// A turn of each of five others, as long as the longest packet and a quantum, and the first quantum of
				// those that begin anew meanwhile.
				if passed[other] += w.n; passed[other] > 40*(60000+quantum) {
					t.Fatalf("flow %d waits for %d octets of others", other, passed[other])
				}
			}
		}
	})
}

// TestIntakeIsBounded: however much waits in the TUN, a link holds no more slots than its share, all of
// them come back, and only one packet of the longest flow is dropped until what waited has left.
func TestIntakeIsBounded(t *testing.T) {
	tun := tundev.NewFake("pc5-t")
	l := &Link{device: tun}
	in := newIntake()
	super := waitingPacket(l, 9, 0, 60000, true)
	for range 3 * largeOfLink {
		tun.DeliverAs(super.header, super.packet())
	}
	lost := 0
	for in.queue.n() > 0 || tun.Waiting() > 0 {
		if err := in.drain(l, new(tundev.Ring)); err != nil && tun.Waiting() > 0 {
			t.Fatal(err)
		}
		if l.large > largeOfLink {
			t.Fatalf("%d large slots of one link", l.large)
		}
		f := in.queue.next()
		w := in.queue.pop(f)
		if f.lost {
			f.lost = false
			lost++
		}
		in.queue.queued(f, w)
		in.release(w)
	}
	if lost < 1 || lost > 3 {
		t.Errorf("%d drops in a queue of three times the share", lost)
	}
	if l.large != 0 || l.small != 0 {
		t.Errorf("%d large and %d small slots are gone", l.large, l.small)
	}
}

func (q *fairQueue) n() (n int) {
	for i := range q.flows {
		for w := q.flows[i].head; w != nil; w = w.next {
			n++
		}
	}
	return n
}
