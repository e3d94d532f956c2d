package dataplane_test

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"pc5d/dataplane"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

// alias is a second name for both ends of a link.
func alias(n int, a bool) dataplane.ContextID {
	id := dataplane.ContextID{Local: underlay.LayerTwoID(0x100 + n), Peer: underlay.LayerTwoID(0x10100 + n), Session: uint16(0x8000 + n)}
	if !a {
		id.Local, id.Peer = id.Peer, id.Local
	}
	return id
}

// sealedUnder is an authentic record of a to b under any name.
func sealedUnder(t testing.TB, id dataplane.ContextID, count record.Count, content []byte) []byte {
	t.Helper()
	c := contextOf(session, true)
	s, err := suite.New(c.Suite, c.Mode, c.SendKey, c.SendSalt)
	if err != nil {
		t.Fatal(err)
	}
	b := record.Header{Header: underlay.Header{Destination: id.Peer, Source: id.Local, LCID: underlay.DRB}, Session: id.Session, Count: count}.AppendTo(nil)
	item := []suite.Item{{Count: uint64(count), AAD: b, Text: content, Dst: make([]byte, 0, len(content)+suite.TagLen)}}
	s.Seal(item)
	return append(b, item[0].Dst...)
}

func poll(t testing.TB, e *end) {
	t.Helper()
	if err := e.engine.Poll(); err != nil {
		t.Fatal(err)
	}
}

// TS 24.554, 7.2.4: both names open, under one key and one window, until one of them ends.
func TestAliasOpensUnderBothNames(t *testing.T) {
	_, b, _ := newPair(t)
	old, content := contextOf(session, true).ID, record.AppendPacket(nil, packet(addrA, addrB, 100, 1))
	steps := []struct {
		name     string
		do       func() error
		id       dataplane.ContextID
		count    record.Count
		received uint64
		replayed uint64
		unknown  uint64
	}{
		{"before", nil, alias(1, true), 0, 0, 0, 1},
		{"old name", func() error { return b.link.Alias(contextOf(session, false).ID, alias(1, false)) }, old, 0, 1, 0, 1},
		{"new name", nil, alias(1, true), 1, 2, 0, 1},
		{"COUNT of the old name under the new one", nil, alias(1, true), 0, 2, 1, 1},
		{"COUNT of the new name under the old one", nil, old, 1, 2, 2, 1},
		{"moved: the old name still opens", func() error {
			return b.link.Move(contextOf(session, false).ID, alias(1, false), dataplane.Readdress{})
		}, old, 2, 3, 2, 1},
		{"moved: the new name", nil, alias(1, true), 3, 4, 2, 1},
		{"the sending name does not end", func() error { b.link.Unalias(alias(1, false)); return nil }, alias(1, true), 4, 5, 2, 1},
		{"old name ended", func() error { b.link.Unalias(contextOf(session, false).ID); return nil }, old, 5, 5, 2, 2},
		{"the new name goes on", nil, alias(1, true), 6, 6, 2, 2},
		{"a next alias", func() error { return b.link.Alias(alias(1, false), alias(2, false)) }, alias(2, true), 7, 7, 2, 2},
		{"an alias given up before the move", func() error { b.link.Unalias(alias(2, false)); return nil }, alias(2, true), 8, 7, 2, 3},
	}
	for _, s := range steps {
		if s.do != nil {
			if err := s.do(); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
		}
		d := sealedUnder(t, s.id, s.count, content)
		b.conn.Inject(outerA, d, len(d))
		poll(t, b)
		c, lost := b.link.Counters(), b.engine.Drops()
		if c.Received.Records != s.received || c.Drops.Of(dataplane.DropReplayed) != s.replayed || lost.Of(dataplane.DropUnknownContext) != s.unknown {
			t.Fatalf("%s: %d received, %d replayed, %d unknown", s.name, c.Received.Records, c.Drops.Of(dataplane.DropReplayed), lost.Of(dataplane.DropUnknownContext))
		}
	}
}

func TestAliasAndMoveRefusals(t *testing.T) {
	a, _, network := newPair(t)
	id, other := contextOf(session, true).ID, contextOf(session+1, true).ID
	if err := a.link.Install(contextOf(session+1, true)); err != nil {
		t.Fatal(err)
	}
	gone := addPort(t, a, network.Listen(outerA2))
	if err := a.engine.RemovePort(gone); err != nil {
		t.Fatal(err)
	}
	refused := func(name string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	refused("alias of an unknown context", a.link.Alias(alias(1, true), alias(2, true)))
	refused("its own name", a.link.Alias(id, id))
	refused("another context's name", a.link.Alias(id, other))
	refused("a name that can not be", a.link.Alias(id, dataplane.ContextID{Local: underlay.Broadcast, Peer: 1}))
	refused("move without an alias", a.link.Move(id, alias(1, true), dataplane.Readdress{}))
	if err := a.link.Alias(id, alias(1, true)); err != nil {
		t.Fatal(err)
	}
	refused("a second alias", a.link.Alias(id, alias(2, true)))
	refused("an alias that another context has", a.link.Alias(other, alias(1, true)))
	refused("move of an unknown context", a.link.Move(alias(3, true), alias(1, true), dataplane.Readdress{Skip: 7}))
	refused("move to another name", a.link.Move(id, alias(2, true), dataplane.Readdress{Skip: 7}))
	refused("move to another context's name", a.link.Move(id, other, dataplane.Readdress{Skip: 7}))
	refused("move backwards", a.link.Move(alias(1, true), id, dataplane.Readdress{Skip: 7}))
	refused("move to a port that is gone", a.link.Move(id, alias(1, true), dataplane.Readdress{Skip: 7, Port: gone}))
	refused("endpoint of an unknown context", a.link.SetEndpoint(alias(3, true), outerB))
	third := contextOf(session+2, true)
	third.ID = alias(1, true)
	refused("install under an alias", a.link.Install(third))
	exchangeUnder(t, a, network, outerB, id, 0) // nothing changed
	for _, name := range []dataplane.ContextID{id, alias(1, true)} {
		if err := a.link.SetEndpoint(name, outerB); err != nil {
			t.Errorf("endpoint of %s: %v", name, err)
		}
	}
}

// exchangeUnder sends one packet from a and looks at what stands on the wire.
func exchangeUnder(t *testing.T, a *end, network *udp.Network, to netip.AddrPort, id dataplane.ContextID, count record.Count) (from netip.AddrPort) {
	t.Helper()
	wire := network.Listen(to)
	a.tun.Deliver(packet(addrA, addrB, 100, 1))
	a.engine.Turn(a.link.Key())
	h, from := took(t, wire)
	if got := (dataplane.ContextID{Local: h.Source, Peer: h.Destination, Session: h.Session}); got != id || h.Count != count {
		t.Fatalf("sent COUNT %d under %s, want %d under %s", h.Count, got, count, id)
	}
	return from
}

// TS 24.554, 7.2.4: names, COUNT, port and endpoint change together.
func TestMoveChangesWhatStandsOnTheWire(t *testing.T) {
	a, _, network := newPair(t)
	id, elsewhere := contextOf(session, true).ID, netip.MustParseAddrPort("198.51.100.2:33536")
	exchangeUnder(t, a, network, outerB, id, 0)
	if err := a.link.Alias(id, alias(1, true)); err != nil {
		t.Fatal(err)
	}
	exchangeUnder(t, a, network, outerB, id, 1)
	p := addPort(t, a, network.Listen(outerA2))
	if err := a.link.Move(id, alias(1, true), dataplane.Readdress{Skip: 1 << 32, Port: p, Endpoint: elsewhere}); err != nil {
		t.Fatal(err)
	}
	if from := exchangeUnder(t, a, network, elsewhere, alias(1, true), 1<<32+2); from != outerA2 {
		t.Fatalf("sent from %s, want %s", from, outerA2)
	}
	a.link.Unalias(id)
	if err := a.link.Alias(alias(1, true), alias(2, true)); err != nil {
		t.Fatal(err)
	}
	if err := a.link.Move(alias(1, true), alias(2, true), dataplane.Readdress{}); err != nil {
		t.Fatal(err)
	}
	if from := exchangeUnder(t, a, network, elsewhere, alias(2, true), 1<<32+3); from != outerA {
		t.Fatalf("sent from %s, want %s", from, outerA)
	}
	if err := a.link.SetEndpoint(alias(2, true), outerB); err != nil {
		t.Fatal(err)
	}
	exchangeUnder(t, a, network, outerB, alias(2, true), 1<<32+4)
}

// T50: a skip past the limit ends the key, and asks for its successor.
func TestT50MovePastTheLimit(t *testing.T) {
	for _, skip := range []uint64{uint64(record.Limit), 1<<64 - 1} {
		t.Run(fmt.Sprint(skip), func(t *testing.T) {
			a, _, n, _ := newTold(t, udp.NewNetwork())
			id := contextOf(session, true).ID
			install(t, a.link, contextOf(session, true))
			if err := a.link.Alias(id, alias(1, true)); err != nil {
				t.Fatal(err)
			}
			if err := a.link.Move(id, alias(1, true), dataplane.Readdress{Skip: skip}); err != nil {
				t.Fatal(err)
			}
			a.tun.Deliver(packet(addrA, addrB, 100, 1))
			a.engine.Turn(a.link.Key())
			if c := a.link.Counters(); c.Sent.Records != 0 || c.Drops.Of(dataplane.DropKeyLimit) != 1 {
				t.Fatalf("counters %+v", c)
			}
			if len(n.exhausting) != 1 || n.exhausting[0] != alias(1, true) {
				t.Fatalf("notified for %v", n.exhausting)
			}
		})
	}
}

// Retire by either name, and a third context, end both names.
func TestBothNamesEndTogether(t *testing.T) {
	for name, end := range map[string]func(l *dataplane.Link) error{
		"retired by the first name":  func(l *dataplane.Link) error { l.Retire(contextOf(session, true).ID); return nil },
		"retired by the second name": func(l *dataplane.Link) error { l.Retire(alias(1, true)); return nil },
		"a third context": func(l *dataplane.Link) error {
			for s := range uint16(2) {
				c := contextOf(session+s+1, true)
				if err := l.Install(c); err != nil {
					return err
				}
				if err := l.Activate(c.ID); err != nil {
					return err
				}
				defer l.Retire(c.ID)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, _, _ := newPair(t)
			id := contextOf(session, true).ID
			if err := a.link.Alias(id, alias(1, true)); err != nil {
				t.Fatal(err)
			}
			if err := end(a.link); err != nil {
				t.Fatal(err)
			}
			for _, free := range []dataplane.ContextID{id, alias(1, true)} {
				c := contextOf(session, true)
				c.ID = free
				if err := a.link.Install(c); err != nil {
					t.Errorf("%s is still in use: %v", free, err)
				}
			}
		})
	}
}

// T50: whatever the transmit worker does while a context moves, a COUNT is sent once, the name and
// the COUNT belong together, and nothing leaves under the old name when Move has returned.
func TestT50MoveWhileSending(t *testing.T) {
	network := udp.NewNetwork()
	e := newEnd(t, network, outerA)
	if err := e.link.InstallWith(contextOf(session, true), wrap(t)); err != nil {
		t.Fatal(err)
	}
	const moves, room = 300, 23
	const skip = 1 << room
	var mu sync.Mutex
	current, last, records := 0, make(map[uint16]record.Count), 0
	network.Lose(func(_, _ netip.AddrPort, d []byte) bool {
		h, _, _, err := record.ParseHeader(d)
		mu.Lock()
		defer mu.Unlock()
		n := int(h.Session) - 0x8000
		if h.Session == session {
			n = 0
		}
		if err != nil || n != current && n != current+1 {
			t.Errorf("sent under name %d after name %d (%v)", n, current, err)
		}
		if n > 0 && (h.Source != alias(n, true).Local || h.Destination != alias(n, true).Peer) {
			t.Errorf("half a header: %+v", h)
		}
		if int(h.Count>>room) != n {
			t.Errorf("COUNT %#x under name %d", h.Count, n)
		}
		if h.Count < last[h.Session] {
			t.Errorf("COUNT %#x sent twice or back under name %d", h.Count, n)
		}
		last[h.Session] = h.Count + 1
		records++
		return true
	})
	run(t, e)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				e.tun.Deliver(packet(addrA, addrB, 1400, 1))
			}
		}
	})
	name := contextOf(session, true).ID
	for n := range moves {
		if err := e.link.Alias(name, alias(n+1, true)); err != nil {
			t.Fatal(err)
		}
		// The test sends fewer records than skip, a million in two seconds: the high bits of a COUNT tell the name.
		if err := e.link.Move(name, alias(n+1, true), dataplane.Readdress{Skip: skip}); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		current = n + 1
		before := records
		mu.Unlock()
		waitFor(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return records > before+n%3
		})
		e.link.Unalias(name)
		name = alias(n+1, true)
	}
	close(stop)
	wg.Wait()
}
