package dataplane_test

import (
	"net/netip"
	"testing"
	"time"

	"pc5d/dataplane"
	"pc5d/dataplane/record"
	"pc5d/dataplane/udp"
)

// slowAnswers is a socket whose answers wait.
type slowAnswers struct {
	*udp.Fake
	begun, leave chan struct{}
}

func (s slowAnswers) Answer(to netip.AddrPort, b []byte, most udp.Share) error {
	s.begun <- struct{}{}
	<-s.leave
	return s.Fake.Answer(to, b, most)
}

// TestMoveWaitsForAnswers: when Move has returned, no answer to an ECHO request leaves under the old name, either.
func TestMoveWaitsForAnswers(t *testing.T) {
	network := udp.NewNetwork()
	a := newEnd(t, network, outerA)
	slow := slowAnswers{begun: make(chan struct{}, 1), leave: make(chan struct{})}
	b := newEndWith(t, network, outerB, func(c *dataplane.Config) {
		slow.Fake = c.Conn.(*udp.Fake)
		c.Conn = slow
	})
	install(t, a.link, contextOf(session, true))
	install(t, b.link, contextOf(session, false))
	run(t, b)
	if err := a.link.SendEcho(netip.AddrPort{}, record.Token{1}, 128); err != nil {
		t.Fatal(err)
	}
	<-slow.begun
	old := contextOf(session, false).ID
	renamed := old
	renamed.Local, renamed.Peer = 0xAAAA, 0xBBBB
	if err := b.link.Alias(old, renamed); err != nil {
		t.Fatal(err)
	}
	moved := make(chan error)
	go func() { moved <- b.link.Move(old, renamed, dataplane.Readdress{}) }()
	select {
	case <-moved:
		t.Error("moved, and an answer under the old name has not left yet")
		close(slow.leave)
	case <-time.After(200 * time.Millisecond):
		close(slow.leave)
		if err := <-moved; err != nil {
			t.Error(err)
		}
	}
}
