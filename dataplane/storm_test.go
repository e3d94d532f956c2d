package dataplane_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pc5d/dataplane"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

// keyBook ends the process when a (key, nonce) is sealed twice in the life of a test, whatever
// context and end it was.
type keyBook struct {
	mu   sync.Mutex
	seen map[string]bool
}

type bookedSuite struct {
	suite.Suite
	book *keyBook
	key  string
}

func (b *keyBook) wrap(key []byte) func(suite.Suite) suite.Suite {
	return func(s suite.Suite) suite.Suite { return &bookedSuite{Suite: s, book: b, key: string(key)} }
}

func (s *bookedSuite) Seal(batch []suite.Item) {
	s.book.mu.Lock()
	for i := range batch {
		use := fmt.Sprintf("%x %d", s.key, batch[i].Count)
		if s.book.seen[use] {
			panic("sealed twice: " + use)
		}
		s.book.seen[use] = true
	}
	s.book.mu.Unlock()
	s.Suite.Seal(batch)
}

// stormEnd is one end with its traffic.
type stormEnd struct {
	*end
	port      dataplane.Port
	local     netip.AddrPort
	inner     netip.Addr
	sockets   []*udp.Fake
	stirred   chan struct{}
	marks     chan struct{} // marks that arrived
	delivered atomic.Uint64 // packets given to the interface
	lost      atomic.Uint64 // records of ours that the network lost
	got       map[uint64]bool
	taken     atomic.Uint64 // packets taken from the interface
}

// storm is two ends, the names of their context, and the number of the next context or name.
type storm struct {
	t       *testing.T
	network *udp.Network
	book    *keyBook
	ends    [2]*stormEnd // a, b
	name    int
	random  *rand.Rand
}

// context is the n-th context; its first name is the n-th alias.
func (s *storm) context(n, side int) dataplane.Context {
	c := contextOf(0, side == 0)
	c.ID = alias(n, side == 0)
	binary.BigEndian.PutUint64(c.SendKey, uint64(2*n+side))
	binary.BigEndian.PutUint64(c.RecvKey, uint64(2*n+1-side))
	c.Port, c.Endpoint = s.ends[side].port, s.ends[1-side].local
	return c
}

// both does something at both ends, in random order.
func (s *storm) both(do func(e *stormEnd, side int) error) {
	s.t.Helper()
	first := s.random.IntN(2)
	for _, side := range []int{first, 1 - first} {
		if err := do(s.ends[side], side); err != nil {
			s.t.Fatal(err)
		}
	}
}

// grace returns when all that was sent before it has arrived or was lost: the batch under way has
// left, and what waited at each socket was processed.
func (s *storm) grace() {
	for _, e := range s.ends {
		e.link.Arm()
	}
	for _, e := range s.ends {
		s.await(e.stirred)
	}
	s.settle()
}

// settle sends a mark behind what waits at each socket, and waits for it.
func (s *storm) settle() {
	mark := underlay.Header{Form: underlay.FormPDCP, Destination: underlay.Broadcast, Source: idA, LCID: underlay.SRB0}.AppendTo(nil)
	for _, e := range s.ends {
		for _, socket := range e.sockets {
			socket.Inject(outerA, mark, len(mark))
		}
		for range e.sockets {
			s.await(e.marks)
		}
	}
}

func (s *storm) await(c <-chan struct{}) {
	s.t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		s.t.Fatal("still waiting")
	}
}

// rekey replaces the context; finish retires the old one.
func (s *storm) rekey() (finish func()) {
	old := s.name
	s.name++
	s.both(func(e *stormEnd, side int) error {
		c := s.context(s.name, side)
		return e.link.InstallOnly(c, s.book.wrap(c.SendKey))
	})
	s.both(func(e *stormEnd, side int) error { return e.link.Activate(alias(s.name, side == 0)) })
	return func() {
		s.both(func(e *stormEnd, side int) error { e.link.Retire(alias(old, side == 0)); return nil })
	}
}

// update gives the context its next name, and each end a new socket; finish ends the old ones.
func (s *storm) update() (finish func()) {
	old := s.name
	s.name++
	var ports [2]dataplane.Port
	s.both(func(e *stormEnd, side int) error {
		conn := s.network.Listen(netip.AddrPortFrom(e.local.Addr(), 0))
		ports[side], e.local, e.port = e.port, conn.LocalAddr(), addPort(s.t, e.end, conn)
		e.sockets = append(e.sockets, conn)
		return nil
	})
	s.both(func(e *stormEnd, side int) error {
		return e.link.Alias(alias(old, side == 0), alias(s.name, side == 0))
	})
	s.both(func(e *stormEnd, side int) error {
		return e.link.Move(alias(old, side == 0), alias(s.name, side == 0), dataplane.Readdress{
			Skip: 1 + s.random.Uint64N(1<<32), Port: e.port, Endpoint: s.ends[1-side].local,
		})
	})
	return func() {
		s.both(func(e *stormEnd, side int) error {
			e.link.Unalias(alias(old, side == 0))
			if ports[side] == (dataplane.Port{}) {
				return nil
			}
			e.sockets = slices.Delete(e.sockets, 1, 2) // the first one stays
			return e.engine.RemovePort(ports[side])
		})
	}
}

// send keeps about window records of one direction under way, and as many packets at each
// interface: no queue overflows.
func (s *storm) send(side int, stop <-chan struct{}) {
	const window = 100
	e, peer := s.ends[side], s.ends[1-side]
	for n := uint64(0); ; n++ {
		for {
			select {
			case <-stop:
				return
			default:
			}
			there, here := peer.link.Counters().Received, e.link.Counters().Sent
			if n-here.Packets < window && here.Records-there.Records-e.lost.Load() < window && there.Packets-peer.taken.Load() < window {
				break
			}
			time.Sleep(20 * time.Microsecond)
		}
		p := packet(e.inner, peer.inner, []int{64, 1400}[n/7%2], 0)
		binary.BigEndian.PutUint64(p[20:], n)
		if !e.tun.Deliver(p) {
			s.t.Error("BUG in the test: the queue of the interface is full")
		}
		e.delivered.Add(1)
	}
}

func (s *storm) take(side int, stop <-chan struct{}) {
	e := s.ends[side]
	for {
		select {
		case p := <-e.tun.Packets():
			n := binary.BigEndian.Uint64(p[20:])
			if e.got[n] {
				s.t.Errorf("packet %d delivered twice", n)
			}
			e.got[n] = true
			e.taken.Add(1)
			e.tun.Recycle(p)
		case <-stop:
			return
		}
	}
}

// T50, T54: many re-keyings and identifier updates, also one into the other, with traffic both ways
// through sockets that come and go: no nonce twice, no packet twice, and none lost but by the
// network.
func TestT50T54StormOfRekeyingsAndIdentifierUpdates(t *testing.T) {
	for _, loss := range []float64{0, 0.1} {
		t.Run(fmt.Sprintf("loss %v", loss), func(t *testing.T) { runStorm(t, loss) })
	}
}

func runStorm(t *testing.T, loss float64) {
	s := &storm{
		t: t, network: udp.NewNetwork(), book: &keyBook{seen: make(map[string]bool)},
		random: rand.New(rand.NewPCG(1, uint64(loss*100))),
	}
	for side, at := range []netip.AddrPort{outerA, outerB} {
		e := &stormEnd{local: at, got: make(map[uint64]bool), stirred: make(chan struct{}, 1), marks: make(chan struct{}, 16)}
		e.end = newEndWith(t, s.network, at, func(c *dataplane.Config) {
			c.Stirred = func(string) { e.stirred <- struct{}{} }
			c.Signalling = func(dataplane.Port, netip.AddrPort, []byte) { e.marks <- struct{}{} }
		})
		e.sockets = []*udp.Fake{e.conn}
		s.ends[side] = e
	}
	s.ends[0].inner, s.ends[1].inner = addrA, addrB
	if loss > 0 {
		dice := rand.New(rand.NewPCG(2, 2)) // the network calls it under its lock
		s.network.Lose(func(from, _ netip.AddrPort, _ []byte) bool {
			drop := dice.Float64() < loss
			if drop && from.Addr() == outerA.Addr() {
				s.ends[0].lost.Add(1)
			} else if drop {
				s.ends[1].lost.Add(1)
			}
			return drop
		})
	}
	s.both(func(e *stormEnd, side int) error {
		c := s.context(0, side)
		return e.link.InstallWith(c, s.book.wrap(c.SendKey))
	})
	run(t, s.ends[0].end, s.ends[1].end)
	s.drive()
	for side, e := range s.ends {
		c, drops := e.link.Counters(), e.engine.Drops()
		if c.Drops != (dataplane.Drops{}) || drops != (dataplane.Drops{}) {
			t.Errorf("end %d dropped %v and %v", side, c.Drops, drops)
		}
		if got := uint64(len(s.ends[1-side].got)); loss == 0 && got != e.delivered.Load() || got == 0 {
			t.Errorf("%d packets of end %d came of %d", got, side, e.delivered.Load())
		}
	}
}

// drive runs the storm, with traffic, to its end.
func (s *storm) drive() {
	cycles := 200
	if testing.Short() {
		cycles = 50
	}
	var senders, takers sync.WaitGroup
	sent, taken := make(chan struct{}), make(chan struct{})
	for side := range s.ends {
		senders.Go(func() { s.send(side, sent) })
		takers.Go(func() { s.take(side, taken) })
	}
	for range cycles {
		switch s.random.IntN(3) {
		case 0:
			finish := s.rekey()
			s.grace()
			finish()
		case 1:
			finish := s.update()
			s.grace()
			finish()
		default: // the update comes before the old context has ended
			retire := s.rekey()
			unalias := s.update()
			s.grace()
			unalias()
			retire()
		}
	}
	close(sent)
	senders.Wait()
	for _, e := range s.ends {
		waitFor(s.t, func() bool { return e.link.Counters().Sent.Packets == e.delivered.Load() })
	}
	s.settle()
	for _, e := range s.ends {
		waitFor(s.t, func() bool { return len(e.tun.Packets()) == 0 })
	}
	close(taken)
	takers.Wait()
}

// After Activate of the new context the old one receives until Retire.
func TestT54OldContextReceivesUntilRetire(t *testing.T) {
	a, b, _ := newPair(t)
	if err := a.link.Install(contextOf(session+1, true)); err != nil {
		t.Fatal(err)
	}
	install(t, b.link, contextOf(session+1, false)) // b sends under the new one, a still under the old one
	exchange(t, a, b, session)
	b.link.Retire(contextOf(session, false).ID)
	a.tun.Deliver(packet(addrA, addrB, 100, 1))
	a.engine.Turn(a.link.Key())
	poll(t, b)
	if d := b.engine.Drops(); d.Of(dataplane.DropUnknownContext) != 1 || b.link.Authentic() != 1 {
		t.Fatalf("a retired context receives: %d records, engine drops %v", b.link.Authentic(), d)
	}
}

// T54: when the context that sends was retired, an older one does not take its place.
func TestT54OlderContextNeverSendsAgain(t *testing.T) {
	a, _, _ := newPair(t)
	install(t, a.link, contextOf(session+1, true))
	a.link.Retire(contextOf(session+1, true).ID)
	if err := a.link.Activate(contextOf(session, true).ID); err == nil || a.link.Up() {
		t.Fatal("an older context sends again")
	}
}
