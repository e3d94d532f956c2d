package daemon_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pc5d/daemon"
	"pc5d/daemon/auth"
	"pc5d/daemon/control"
	"pc5d/daemon/host"
	"pc5d/daemon/kept"
	"pc5d/daemon/link"
	"pc5d/daemon/task"
	"pc5d/dataplane"
	"pc5d/dataplane/record"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// site is a whole daemon on real goroutines, over a network and an interface in memory.
type site struct {
	name    string
	address netip.AddrPort
	inner   netip.Addr
	key     ed25519.PrivateKey
	id      *auth.Identity
	peer    *site
	member  *auth.Authentication // of a fleet; nil: the peer is pinned
	device  *tundev.Fake
	conn    *udp.Fake
	node    *daemon.Node
	tasks   *task.Real
	ended   atomic.Int32 // links released, as the log says
	stop    func()
}

// Enabled, Handle, WithAttrs and WithGroup make a site the handler of its own log.
func (s *site) Enabled(context.Context, slog.Level) bool { return true }

func (s *site) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "link released" {
		s.ended.Add(1)
	}
	return nil
}

func (s *site) WithAttrs([]slog.Attr) slog.Handler { return s }
func (s *site) WithGroup(string) slog.Handler      { return s }

func (s *site) Pinned(name string) []policy.Fingerprint {
	if name != s.peer.name {
		return nil
	}
	return []policy.Fingerprint{auth.New(auth.Config{Identity: s.peer.id, Now: time.Now}).Local().Fingerprint}
}

// unhosted is a host whose kernel is not touched.
type unhosted struct{}

func (unhosted) Configure(host.Interface) error   { return nil }
func (unhosted) Guard([]netip.Prefix) error       { return nil }
func (unhosted) Taken(netip.Addr) (string, error) { return "", nil }
func (unhosted) Clean() error                     { return nil }
func (unhosted) Close()                           {}

// newSites makes two daemons that know each other; words are more lines of both provisionings.
func newSites(t *testing.T, words string, change func(*link.Timers)) (a, b *site) {
	t.Helper()
	network := udp.NewNetwork()
	make := func(name string, last byte) *site {
		s := &site{name: name, address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, last}), provision.DefaultPort), inner: netip.AddrFrom4([4]byte{10, 0, 0, last})}
		_, s.key, _ = ed25519.GenerateKey(rand.Reader)
		id, err := auth.NewIdentity(s.key, name, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		s.id = id
		return s
	}
	a, b = make("alice", 1), make("bob", 2)
	a.peer, b.peer = b, a
	a.run(t, network, words, change)
	b.run(t, network, words, change)
	return a, b
}

func (s *site) run(t *testing.T, network *udp.Network, words string, change func(*link.Timers)) {
	t.Helper()
	node, trust := "", fmt.Sprintf("pin = %q", s.Pinned(s.peer.name)[0])
	if s.member != nil {
		node, trust = "ca = [\"ca.crt\"]\n", "trust = \"ca\""
	}
	file := fmt.Sprintf("[node]\nname = %q\nidentity = \"key\"\n%s[[link]]\nname = \"link\"\npeer = %q\n%s\nendpoint = %q\naddresses = [\"%s/32\"]\nallowed = [\"%s/32\"]\n%s\n",
		s.name, node, s.peer.name, trust, s.peer.address, s.inner, s.peer.inner, words)
	p, err := provision.Parse(s.name+".toml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(s)
	s.tasks = &task.Real{}
	timers := daemon.TimersOf(p.Node.Timers)
	change(&timers)
	s.conn = network.Listen(s.address)
	engine := dataplane.New(dataplane.Config{
		Conn: s.conn, Poller: tundev.NewFakePoller(), Log: log,
		Signalling: func(port dataplane.Port, from netip.AddrPort, datagram []byte) { s.node.Receive(port, from, datagram) },
		Stray:      func(port dataplane.Port, from netip.AddrPort, h underlay.Header) { s.node.Stray(port, from, h) },
		Stirred:    func(link string) { s.node.Stirred(link) },
		Sending:    func(link string) { s.node.Sending(link) },
		Echoed:     func(link string, token record.Token) { s.node.Echoed(link, token) },
		TooLong:    func(link string) { s.node.TooLong(link) },
		Exhausting: func(link string, id dataplane.ContextID) { s.node.Exhausting(link, id) },
	})
	config := daemon.Config{
		Provisioning: p, Engine: engine, Scheduler: s.tasks, Network: unhosted{}, StateDir: t.TempDir(), Log: log, Version: "test", Limits: daemon.Limits{LogEvery: 1},
		Auth: auth.New(auth.Config{Identity: s.id, Trust: s, Now: time.Now, Curves: auth.Classic()}), Timers: timers,
		OpenTUN: func(name string, _ int) (tundev.Device, error) {
			s.device = tundev.NewFake(name)
			return s.device, nil
		},
		OpenPort: func() (udp.Conn, error) { return network.Listen(netip.AddrPortFrom(s.address.Addr(), 0)), nil },
	}
	if s.member != nil {
		config.Auth, config.Trust = s.member, s.member
		config.OpenKept = func() *kept.Store { return kept.Open(kept.Config{}) }
	}
	s.node, err = daemon.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	outer, end := context.WithCancel(context.Background())
	running.Go(func() {
		if err := engine.Run(outer); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() {
		s.node.Run(ctx)
		end()
	})
	s.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		s.tasks.Wait()
	})
	t.Cleanup(s.stop)
}

// packet is one inner packet to the peer.
func (s *site) packet() []byte {
	p := make([]byte, 64)
	p[0] = 0x45
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	from, to := s.inner.As4(), s.peer.inner.As4()
	copy(p[12:], from[:])
	copy(p[16:], to[:])
	return p
}

// reaches tells whether a packet gets to the peer within a time.
func (s *site) reaches(limit time.Duration) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		for len(s.peer.device.Packets()) > 0 {
			<-s.peer.device.Packets()
		}
		s.device.Deliver(s.packet())
		select {
		case <-s.peer.device.Packets():
			return true
		case <-time.After(10 * time.Millisecond):
		}
	}
	return false
}

// up and down give the state that the operator is shown.
func (s *site) up() string   { return s.word(s.node.Up) }
func (s *site) down() string { return s.word(s.node.Down) }

func (s *site) word(order func(context.Context, string) (control.LinkStatus, error)) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	status, err := order(ctx, "link")
	if err != nil {
		return err.Error()
	}
	return status.State
}

// both passes a word on at both ends at once, and gives the states that they are in afterwards.
func both(a, b *site, word func(*site) string) (states [2]string) {
	var words sync.WaitGroup
	for i, s := range []*site{a, b} {
		words.Go(func() { states[i] = word(s) })
	}
	words.Wait()
	return states
}

// TestT13_GlareOnManyThreads lets both ends start at once, again and again, so that both attempts
// are established at the same instant: exactly one of them remains, the same one at both ends.
func TestT13_GlareOnManyThreads(t *testing.T) {
	a, b := newSites(t, "", func(*link.Timers) {})
	for round := range 20 {
		before := a.ended.Load() + b.ended.Load()
		if states := both(a, b, (*site).up); states != [2]string{"established", "established"} {
			t.Errorf("round %d: %v", round, states)
		}
		if !a.reaches(5*time.Second) || !b.reaches(5*time.Second) {
			t.Fatalf("round %d: no packet gets through", round)
		}
		if n := a.ended.Load() + b.ended.Load() - before; n > 0 {
			t.Errorf("round %d: the link was lost %d times", round, n)
		}
		both(a, b, (*site).down)
		a.down() // from an attempt of the other end's
		b.down()
	}
}

// TestDownWins gives both operators' word while attempts of both ends are about to be established:
// the link ends, and does not come back by itself.
func TestDownWins(t *testing.T) {
	a, b := newSites(t, "", func(*link.Timers) {})
	for round := range 20 {
		both(a, b, (*site).up)
		if states := both(a, b, (*site).down); states != [2]string{"down", "down"} {
			t.Errorf("round %d: %v after the word of the operators", round, states)
		}
		time.Sleep(20 * time.Millisecond) // of an attempt that was given up
		if states := both(a, b, (*site).down); states != [2]string{"down", "down"} {
			t.Errorf("round %d: %v after it was given again", round, states)
		}
	}
}

// TestStorm_ManyThreads lets operators say everything at once, again and again, at both ends of a
// link with traffic in both directions and every datagram port changed. It is for the race
// detector; in the end the link serves, and after the stop nothing is left.
func TestStorm_ManyThreads(t *testing.T) {
	a, b := newSites(t, "[link.signalling]\nciphering = \"required\"\n[link.privacy]\nidentity = true\nupdate = \"10s\"\nport = true\n", func(timers *link.Timers) {
		timers.RekeyMin, timers.Grace, timers.Quiet = 5*time.Millisecond, 20*time.Millisecond, time.Millisecond
		timers.Unanswered = 50 * time.Millisecond
	})
	limit := time.Now().Add(3 * time.Second)
	var storm sync.WaitGroup
	for n, s := range []*site{a, b} {
		words := []func(){
			func() { s.up() }, func() { s.order(s.node.Rekey) }, func() { s.order(s.node.Update) }, func() { s.order(s.node.Update) },
			func() { s.node.Status(t.Context()) }, func() { s.node.Census() },
		}
		if n == 0 {
			words = append(words, func() { s.order(s.node.Down) }, func() {
				ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
				defer cancel()
				s.node.Solicit(ctx, s.peer.address, "ip")
			})
		}
		for i, word := range words {
			storm.Go(func() {
				for time.Now().Before(limit) {
					word()
					time.Sleep(time.Duration(3+7*i) * time.Millisecond)
				}
			})
		}
		storm.Go(func() {
			for time.Now().Before(limit) {
				s.device.Deliver(s.packet())
				for len(s.device.Packets()) > 0 {
					<-s.device.Packets()
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	storm.Wait()
	both(a, b, (*site).up)
	if !a.reaches(10*time.Second) || !b.reaches(10*time.Second) {
		sa, _ := a.node.Status(t.Context())
		sb, _ := b.node.Status(t.Context())
		t.Errorf("after the storm no packet gets through: %+v\n%+v", sa.Links, sb.Links)
	}
	a.stop()
	b.stop()
	for _, s := range []*site{a, b} {
		if c := s.node.Census(); c.Machines != 0 || c.LayerTwoIDs != 0 || c.Pairs != 0 || c.Claims != 0 || c.HalfOpen != 0 {
			t.Errorf("%s keeps after its end: %+v", s.name, c)
		}
	}
}

// order passes a word on that is done or not.
func (s *site) order(word func(context.Context, string) (control.LinkStatus, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	word(ctx, "link")
}
