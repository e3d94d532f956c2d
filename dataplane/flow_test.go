package dataplane_test

import (
	"bytes"
	"testing"

	"pc5d/dataplane"
)

// expected are packets that are to arrive, those of each flow in their order.
type expected map[uint32][][]byte

func (e expected) add(packets ...[]byte) {
	for _, p := range packets {
		f := dataplane.FlowOf(p)
		e[f] = append(e[f], p)
	}
}

func (e expected) left() (n int) {
	for _, packets := range e {
		n += len(packets)
	}
	return n
}

// arrived takes a packet that must be the next one of its flow, as same compares them.
func (e expected) arrived(t interface{ Fatalf(string, ...any) }, got []byte, same func(got, want []byte) bool) {
	f := dataplane.FlowOf(got)
	if len(e[f]) == 0 {
		t.Fatalf("one more packet of flow %d: %x", f, got)
	}
	if want := e[f][0]; !same(got, want) {
		t.Fatalf("got\n%x\nwant\n%x", got, want)
	}
	e[f] = e[f][1:]
}

// TestSparseFlowsOvertake: of a long queue of super-packets and a packet of another flow behind it, the
// other end sees that one first, though it had the queue before it; and each flow keeps its order.
func TestSparseFlowsOvertake(t *testing.T) {
	a, b, _ := newSupers(t)
	s := newSuper(false, 12, 20000, 1348, 0x10, false)
	for range 5 {
		a.tun.DeliverAs(s.header, s.packet)
	}
	lone := packet(addrA, addrB, 84, 3)
	a.tun.Deliver(lone)
	a.engine.Turn(a.link.Key())
	if err := b.engine.Poll(); err != nil {
		t.Fatal(err)
	}
	if got := <-b.tun.Packets(); !bytes.Equal(got, lone) {
		t.Errorf("%d octets came first", len(got))
	}
	for b.engine.Inbox() > 0 {
		if err := b.engine.Poll(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(b.tun.Packets()); n != 5*len(s.segments(t)) {
		t.Errorf("%d segments behind it", n)
	}
}
