package link_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// TestSolicitation: three responders answer one request; each gets a link of its own, with keys
// of its own, under the L2 ID that they share. What is no answer to the request makes nothing.
func TestSolicitation(t *testing.T) {
	trust := pins{}
	alice := trusted(t, "alice", 1, trust)
	a := newEnd(t, "192.0.2.1:33536", 0x00A11CE, alice, link.Link{})
	linkTo := map[string]link.Link{}
	a.config.Links = lookup(linkTo)
	everybody := netip.MustParseAddrPort("192.0.2.255:33536")
	s := link.NewSolicitation(a.config, a.link, everybody)
	if err := s.Start(epoch); err != nil {
		t.Fatal(err)
	}
	request := sent(t, s)
	sessions := map[string]bool{}
	for i := range 3 {
		name := fmt.Sprintf("peer%d", i)
		b := newEnd(t, fmt.Sprintf("192.0.2.%d:33536", 10+i), underlay.LayerTwoID(0x100+i), trusted(t, name, byte(10+i), trust),
			link.Link{Name: "alice", Peer: "alice", Pins: []policy.Fingerprint{alice.Local().Fingerprint}, LinkLocal: netip.MustParseAddr("fe80::b")})
		l := a.link
		l.Name, l.Peer, l.Pins, l.LinkLocal = name, name, trust[name], netip.MustParseAddr("fe80::a")
		linkTo[name] = l
		challenge, _, err := b.admission.Receive(epoch, a.address, request)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Answer(epoch, b.address, append([]byte(nil), request...)); err == nil {
			t.Error("a reflected request made a machine")
		}
		m, err := s.Answer(epoch, b.address, challenge)
		if err != nil {
			t.Fatal(err)
		}
		p := &pair{a: &end{address: a.address, config: a.config, machine: m, drops: map[link.Drop]int{}}, b: b, now: epoch}
		p.drain(p.a)
		p.settle()
		if p.b.machine == nil || m.State() != link.Established || p.b.machine.State() != link.Established {
			t.Fatalf("%s: a %v (%v), b %v", name, m.State(), m.Failed(), p.b.machine)
		}
		p.agree(t, name)
		if m.Agreement().B.Name != name || sessions[string(p.a.installed.Send.Key.Bytes())] {
			t.Errorf("%s: agreed with %v", name, m.Agreement().B)
		}
		sessions[string(p.a.installed.Send.Key.Bytes())] = true
		if local, _ := m.LayerTwoIDs(); local != a.config.Local {
			t.Errorf("%s: own L2 ID %v", name, local)
		}
		p.close()
	}
	s.Advance(epoch.Add(time.Hour))
	for !s.Deadline().IsZero() {
		s.Advance(s.Deadline())
	}
	if _, err := s.Answer(epoch, everybody, request); err != link.DropState {
		t.Errorf("after T5080: %v", err)
	}
}

// TestSolicitation_Stranger: who is authenticated but has no link here gets none.
func TestSolicitation_Stranger(t *testing.T) {
	trust := pins{}
	alice, bob := trusted(t, "alice", 1, trust), trusted(t, "bob", 2, trust)
	a := newEnd(t, "192.0.2.1:33536", 0x00A11CE, alice, link.Link{})
	a.config.Links = lookup(nil)
	b := newEnd(t, "192.0.2.2:33536", 0xB0B, bob, link.Link{Name: "alice", Peer: "alice", Pins: []policy.Fingerprint{alice.Local().Fingerprint}})
	s := link.NewSolicitation(a.config, a.link, b.address)
	if err := s.Start(epoch); err != nil {
		t.Fatal(err)
	}
	challenge, _, err := b.admission.Receive(epoch, a.address, sent(t, s))
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Answer(epoch, b.address, challenge)
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{a: &end{address: a.address, config: a.config, machine: m, drops: map[link.Drop]int{}}, b: b, now: epoch}
	defer p.close()
	p.drain(p.a)
	p.settle()
	if m.Failed() != link.ErrNoLink || p.a.installed != nil || p.b.installed != nil {
		t.Errorf("a %v (%v)", m.State(), m.Failed())
	}
}

// trusted makes a node that all others of the set have pinned.
func trusted(t *testing.T, name string, seed byte, trust pins) link.Authentication {
	t.Helper()
	n := nodeOf(t, name, seed, trust)
	trust[name] = []policy.Fingerprint{n.Local().Fingerprint}
	return n
}

// lookup is the provisioning of a node with several links.
type lookup map[string]link.Link

func (l lookup) Lookup(peer link.Peer, _ string) (link.Link, bool) {
	found, ok := l[peer.Name]
	return found, ok
}

// sent is the first datagram of a request.
func sent(t *testing.T, s *link.Solicitation) []byte {
	t.Helper()
	for {
		e, ok := s.Next()
		if !ok {
			t.Fatal("nothing was sent")
		}
		if send, ok := e.(link.Send); ok {
			return send.Datagram
		}
	}
}
