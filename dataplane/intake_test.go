package dataplane

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"

	"pc5d/dataplane/tundev"
)

// intakeModel is three links whose packets wait, some in the devices, some in an intake.
type intakeModel struct {
	*rapid.T
	in    intake
	ring  tundev.Ring // reads one by one
	links [3]*Link
	sent  map[[2]int]int // packets of each flow of each link
	got   map[[2]int]int
}

func newIntakeModel(t *rapid.T) *intakeModel {
	m := &intakeModel{T: t, in: newIntake(), sent: map[[2]int]int{}, got: map[[2]int]int{}}
	for i := range m.links {
		m.links[i] = &Link{key: uint32(i), device: tundev.NewFake("pc5-t")}
	}
	return m
}

func (m *intakeModel) deliver(l *Link) {
	flow := [2]int{int(l.key), m.drawn(1, 5, "port")}
	n, super := m.drawn(32, 3000, "octets"), rapid.Bool().Draw(m.T, "super")
	for range m.drawn(1, 400, "packets") {
		w := waitingPacket(l, uint16(flow[1]), m.sent[flow], n, super)
		if l.device.(*tundev.Fake).DeliverAs(w.header, w.packet()) {
			m.sent[flow]++
		}
	}
}

func (m *intakeModel) drain(l *Link) {
	waits := l.device.(*tundev.Fake).Waiting() > 0 && m.in.large.available() > 0 && m.in.small.available() > 0
	_ = m.in.drain(l, &m.ring)
	if waits && l.large+l.small == 0 {
		m.Fatal("nothing was read of a link of which nothing waited")
	}
	m.check()
}

// pop takes what is next; false: nothing is.
func (m *intakeModel) pop() bool {
	f := m.in.queue.next()
	if f == nil {
		return false
	}
	w := m.in.queue.pop(f)
	packet := w.packet()
	flow := [2]int{int(w.link.key), int(binary.BigEndian.Uint16(packet[22:]))}
	if serial := int(binary.BigEndian.Uint32(packet[28:])); serial != m.got[flow] {
		m.Fatalf("flow %v: packet %d, want %d", flow, serial, m.got[flow])
	}
	m.got[flow]++
	m.in.release(w)
	return true
}

// check sees that every slot is free or one link's, and none has more than its share.
func (m *intakeModel) check() {
	large, small := m.in.large.available(), m.in.small.available()
	for _, l := range m.links {
		large, small = large+l.large, small+l.small
		if l.large > largeOfLink || l.small > smallOfLink {
			m.Fatalf("a link has %d large and %d small slots", l.large, l.small)
		}
	}
	if large != largeSlots || small != smallSlots {
		m.Fatalf("%d large and %d small slots", large, small)
	}
}

func (m *intakeModel) drawn(least, most int, what string) int {
	return rapid.IntRange(least, most).Draw(m.T, what)
}

// TestIntakeKeepsSlots: however packets of several links come and go, each flow stays in its order and complete,
// and no slot is lost, used twice or beyond the share of a link. A link that is down keeps none.
func TestIntakeKeepsSlots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newIntakeModel(t)
		for range m.drawn(1, 60, "steps") {
			l := m.links[m.drawn(0, 2, "link")]
			switch m.drawn(0, 3, "step") {
			case 0, 1:
				m.deliver(l)
			case 2:
				m.drain(l)
			case 3:
				for range m.drawn(1, 300, "pops") {
					m.pop()
				}
			}
			m.check()
		}
		for more := true; more; more = m.pop() {
			for _, l := range m.links {
				m.drain(l)
			}
		}
		for flow, n := range m.sent {
			if m.got[flow] != n {
				t.Fatalf("flow %v: %d packets of %d", flow, m.got[flow], n)
			}
		}
		down := m.links[0]
		for range 100 {
			w := waitingPacket(down, 1, 0, 100, false)
			down.device.(*tundev.Fake).DeliverAs(w.header, w.packet())
		}
		_ = m.in.discard(down, &m.ring)
		if drops := down.drops.snapshot(); drops.Of(DropLinkDown) != 100 {
			t.Fatalf("%d of 100 packets were dropped", drops.Of(DropLinkDown))
		}
		m.check()
	})
}

// multicaster is a device that always has one more packet that no peer gets.
type multicaster struct {
	*tundev.Fake
	reads int
}

func (m *multicaster) Read(b []byte) (int, error) {
	m.reads++
	clear(b[:tundev.HeaderLen+40])
	b[tundev.HeaderLen], b[tundev.HeaderLen+16] = 0x45, 224
	return tundev.HeaderLen + 40, nil
}

// TestIntakeLeavesAFlood: a link whose host says more to all routers than a worker can drop does not keep it from others.
func TestIntakeLeavesAFlood(t *testing.T) {
	in, m := newIntake(), &multicaster{Fake: tundev.NewFake("pc5-t")}
	l := &Link{device: m}
	if err := in.drain(l, new(tundev.Ring)); err != nil {
		t.Fatal(err)
	}
	drops := l.drops.snapshot()
	if n := drops.Of(DropInnerDestination); n < smallOfLink || n > mostReads+tundev.MostReads || int(n) != m.reads {
		t.Fatalf("%d packets dropped, %d read", n, m.reads)
	}
	if l.large+l.small != 0 || in.large.available() != largeSlots {
		t.Fatalf("%d slots are in use", l.large+l.small)
	}
}

// TestDrainAsksForAsManyAgain: the first read of a turn is for as many packets as the last turn found, and one more.
func TestDrainAsksForAsManyAgain(t *testing.T) {
	device := tundev.NewFake("pc5-t")
	in, l := newIntake(), &Link{device: device, found: 7}
	_ = in.drain(l, &tundev.Ring{})
	if in.blanks[7] == nil || in.blanks[8] != nil {
		t.Error("after seven packets not eight are asked for")
	}
	if l.found != 0 {
		t.Errorf("%d found where nothing was", l.found)
	}
	for range 5 {
		w := waitingPacket(l, 1, 0, 100, false)
		device.DeliverAs(w.header, w.packet())
	}
	_ = in.drain(l, &tundev.Ring{})
	if l.found != 5 {
		t.Errorf("%d found of 5", l.found)
	}
}
