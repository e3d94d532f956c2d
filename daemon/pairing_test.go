package daemon_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pc5d/daemon"
	"pc5d/daemon/auth"
	"pc5d/daemon/auth/invite"
	"pc5d/daemon/control"
	"pc5d/daemon/task"
	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// station is a host whose daemon comes and goes; key and state directory stay.
type station struct {
	t       *testing.T
	name    string
	address netip.AddrPort
	network *udp.Network
	key     ed25519.PrivateKey
	own     string // keys of [node]
	words   string // of the provisioning, after [node]
	state   string
	hook    func(*daemon.Config) // before a start; nil: nothing

	node    *daemon.Node
	devices map[string]*tundev.Fake
	stop    func()
	log     journal
}

// journal keeps a log as text.
type journal struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out.Write(b)
}

func (j *journal) count(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.out.String(), text)
}

func newStation(t *testing.T, network *udp.Network, name string, last byte) *station {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &station{
		t: t, name: name, network: network, key: key, state: t.TempDir(),
		address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, last}), provision.DefaultPort),
	}
}

func (s *station) fingerprint() policy.Fingerprint {
	id, err := auth.NewIdentity(s.key, s.name, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return auth.New(auth.Config{Identity: id}).Local().Fingerprint
}

// trusting asks the node, as cmd/pc5d does.
type trusting func(string) []policy.Fingerprint

func (f trusting) Pinned(name string) []policy.Fingerprint { return f(name) }

// start runs the daemon on what the state directory holds.
func (s *station) start() {
	s.t.Helper()
	learnt, err := daemon.Learnt(s.state)
	if err != nil {
		s.t.Fatal(err)
	}
	main := filepath.Join(s.t.TempDir(), "pc5d.toml")
	text := fmt.Sprintf("[node]\nname = %q\nidentity = \"key\"\n%s[node.timers]\nt5080 = \"50ms\"\nt5089 = \"50ms\"\nt5092 = \"50ms\"\nt5087 = \"50ms\"\nrepeats = 5\n%s", s.name, s.own, s.words)
	if err := os.WriteFile(main, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	p, err := provision.LoadWith(main, learnt)
	if err != nil {
		s.t.Fatal(err)
	}
	id, err := auth.NewIdentity(s.key, s.name, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	tasks := &task.Real{}
	var node *daemon.Node
	engine := dataplane.New(dataplane.Config{
		Conn: s.network.Listen(s.address), Poller: tundev.NewFakePoller(), Log: log,
		Signalling: func(port dataplane.Port, from netip.AddrPort, datagram []byte) { node.Receive(port, from, datagram) },
		Stray:      func(port dataplane.Port, from netip.AddrPort, h underlay.Header) { node.Stray(port, from, h) },
	})
	devices := map[string]*tundev.Fake{}
	var mu sync.Mutex
	cfg := daemon.Config{
		Provisioning: p, Scheduler: tasks, Engine: engine, Network: unhosted{}, StateDir: s.state, Timers: daemon.TimersOf(p.Node.Timers), Log: log, Version: "test",
		Auth: auth.New(auth.Config{
			Identity: id, Now: time.Now, Curves: auth.Classic(), Trust: trusting(func(name string) []policy.Fingerprint { return node.Pinned(name) }),
			FirstUse: func(name string) bool { return node.FirstUse(name) },
		}),
		OpenTUN: func(name string, _ int) (tundev.Device, error) {
			mu.Lock()
			defer mu.Unlock()
			devices[name] = tundev.NewFake(name)
			return devices[name], nil
		},
	}
	if s.hook != nil {
		s.hook(&cfg)
	}
	if node, err = daemon.New(cfg); err != nil {
		s.t.Fatal(err)
	}
	s.node, s.devices = node, devices
	ctx, cancel := context.WithCancel(context.Background())
	outer, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { engine.Run(outer) })
	<-engine.Ready()
	running.Go(func() {
		node.Run(ctx)
		end()
	})
	s.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		tasks.Wait()
	})
	s.t.Cleanup(s.stop)
}

// newStations makes two that know nothing of each other.
func newStations(t *testing.T) (a, b *station) {
	t.Helper()
	network := udp.NewNetwork()
	a, b = newStation(t, network, "alice", 1), newStation(t, network, "bob", 2)
	a.start()
	b.start()
	return a, b
}

func (s *station) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 2*time.Second)
}

// invite makes an invite for a link.
func (s *station) invite(r control.InviteRequest) string {
	s.t.Helper()
	if r.Link == "" {
		r.Link = "pal"
	}
	if r.Expires == "" {
		r.Expires = "1h"
	}
	r.Endpoint = s.address
	i, err := s.node.Invite(s.t.Context(), r)
	if err != nil {
		s.t.Fatal(err)
	}
	return i.Token
}

// join joins and gives the state of the link, or the error.
func (s *station) join(token string) string {
	ctx, cancel := s.within()
	defer cancel()
	status, err := s.node.Join(ctx, token, "")
	if err != nil {
		return err.Error()
	}
	return status.State
}

// link is the status of a link; nil: there is none.
func (s *station) link(name string) *control.LinkStatus {
	s.t.Helper()
	status, err := s.node.Status(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, l := range status.Links {
		if l.Name == name {
			return &l
		}
	}
	return nil
}

func (s *station) invites() int {
	s.t.Helper()
	status, err := s.node.Status(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return len(status.Invites)
}

// secretless fails when anything in the state directory, or the log, shows a token's secret.
func (s *station) secretless(token string) {
	s.t.Helper()
	parsed, err := invite.Parse(token)
	if err != nil {
		s.t.Fatal(err)
	}
	encoded := inJSON(parsed.Secret.Bytes())
	eventually(s.t, s.name+" has no trace of a secret that has served", func() bool {
		b, err := os.ReadFile(filepath.Join(s.state, "invites.json"))
		return err == nil && !bytes.Contains(b, []byte(encoded))
	})
	if s.log.count(token) > 0 || s.log.count(encoded) > 0 {
		s.t.Errorf("%s logs the secret", s.name)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Errorf("never: %s", what)
}

// TestT41_TwoCommands: one command at each end, and there is a link whose keys both ends pin, which
// comes back after a restart of both without a trace of the secret.
func TestT41_TwoCommands(t *testing.T) {
	a, b := newStations(t)
	token := a.invite(control.InviteRequest{})
	if state := b.join(token); state != "established" {
		t.Fatal(state)
	}
	l, m := a.link("pal"), b.link("alice")
	if l == nil || m == nil || l.Peer != "bob" || m.Peer != "alice" || !l.Learnt || !m.Learnt {
		t.Fatalf("%+v\n%+v", l, m)
	}
	if a.log.count("invite made") != 1 || a.log.count("invite used") != 1 || b.log.count("invite taken up") != 1 || a.invites() != 0 {
		t.Errorf("events: %s", a.log.out.String())
	}
	a.secretless(token)
	b.secretless(token)
	a.stop()
	b.stop()
	a.start()
	b.start()
	eventually(t, "the link comes back", func() bool { l := b.link("alice"); return l != nil && l.State == "established" })
}

// TestT41_SecondJoiner: a token that was used lets nobody else in, now or after a restart, and the
// first joiner keeps its link.
func TestT41_SecondJoiner(t *testing.T) {
	a, b := newStations(t)
	thief := newStation(t, a.network, "mallory", 3)
	thief.start()
	token := a.invite(control.InviteRequest{})
	if state := b.join(token); state != "established" {
		t.Fatal(state)
	}
	if state := thief.join(token); state == "established" {
		t.Fatal("a second joiner has a link")
	}
	if a.log.count("peer refused") == 0 || a.link("pal").Peer != "bob" || b.link("alice").State != "established" {
		t.Errorf("%+v\n%s", a.link("pal"), a.log.out.String())
	}
	a.stop()
	a.start()
	ctx, cancel := thief.within()
	defer cancel()
	if s, err := thief.node.Up(ctx, "alice"); err == nil && s.State == "established" {
		t.Error("a second joiner has a link after a restart of the inviter")
	}
	eventually(t, "the first joiner's link comes back", func() bool { return a.link("pal").State == "established" })
}

// TestT41_ManyAtOnce: of many joiners at the same moment exactly one gets the link.
func TestT41_ManyAtOnce(t *testing.T) {
	network := udp.NewNetwork()
	a := newStation(t, network, "alice", 1)
	a.start()
	token := a.invite(control.InviteRequest{})
	const joiners = 6
	states := make([]string, joiners)
	var all sync.WaitGroup
	for n := range joiners {
		s := newStation(t, network, fmt.Sprintf("joiner%d", n), byte(10+n))
		s.start()
		all.Go(func() { states[n] = s.join(token) })
	}
	all.Wait()
	won := 0
	for _, s := range states {
		if s == "established" {
			won++
		}
	}
	if won != 1 || a.log.count("invite used") != 1 || a.invites() != 0 {
		t.Errorf("%d of %d have a link: %v", won, joiners, states)
	}
}

// TestT41_LateJoiner: an expired token is refused by both ends, whatever the joiner's clock says, and
// its secret is gone.
func TestT41_LateJoiner(t *testing.T) {
	a, b := newStations(t)
	token := a.invite(control.InviteRequest{})
	a.stop()
	late := time.Now().Add(2 * time.Hour)
	a.hook = func(c *daemon.Config) { c.Scheduler = shifted{c.Scheduler, 2 * time.Hour} }
	a.start()
	if a.invites() != 0 || a.log.count("invite expired") != 1 {
		t.Errorf("%d invites are open at %s: %s", a.invites(), late, a.log.out.String())
	}
	a.secretless(token)
	if state := b.join(token); state == "established" {
		t.Error("a late joiner has a link")
	}
	if a.log.count("peer refused") == 0 || a.link("pal") != nil {
		t.Error("no event at the inviter")
	}
	b.stop()
	b.hook = a.hook
	b.start()
	if state := b.join(token); !strings.Contains(state, "expired") {
		t.Errorf("the joiner takes it up all the same: %s", state)
	}
}

// shifted is a scheduler whose clock is off, alarms and all.
type shifted struct {
	task.Scheduler
	by time.Duration
}

func (s shifted) Now() time.Time { return s.Scheduler.Now().Add(s.by) }

func (s shifted) NewQueue(wake func()) task.Queue {
	return shiftedQueue{s.Scheduler.NewQueue(wake), s.by}
}

type shiftedQueue struct {
	task.Queue
	by time.Duration
}

func (q shiftedQueue) WakeAt(at time.Time) {
	if !at.IsZero() {
		at = at.Add(-q.by)
	}
	q.Queue.WakeAt(at)
}

// TestT41_ExpiresWhileOpen: the secret of an invite that nobody used is wiped when its time is over,
// without anybody asking.
func TestT41_ExpiresWhileOpen(t *testing.T) {
	a := newStation(t, udp.NewNetwork(), "alice", 1)
	a.start()
	token := a.invite(control.InviteRequest{})
	a.stop()
	a.hook = func(c *daemon.Config) { c.Scheduler = shifted{c.Scheduler, time.Hour - 2*time.Second} }
	a.start()
	if a.invites() != 1 {
		t.Fatal("it is not open any more")
	}
	eventually(t, "the invite expires", func() bool { return a.log.count("invite expired") == 1 && a.invites() == 0 })
	a.secretless(token)
}

// TestT41_JoinedInVain: a joiner whose inviter never answers stops when the token expires, says so, and
// has no secret any more, also where it was not running at that moment.
func TestT41_JoinedInVain(t *testing.T) {
	for _, runs := range []bool{true, false} {
		a, b := newStations(t)
		token := a.invite(control.InviteRequest{})
		a.stop()
		b.stop()
		b.hook = func(c *daemon.Config) { c.Scheduler = shifted{c.Scheduler, time.Hour - 3*time.Second} }
		b.start()
		if state := b.join(token); state == "established" {
			t.Fatal("nobody was there")
		}
		if !runs {
			b.stop()
			b.hook = func(c *daemon.Config) { c.Scheduler = shifted{c.Scheduler, 2 * time.Hour} }
			b.start()
		}
		eventually(t, "the joiner gives up", func() bool {
			l := b.link("alice")
			return l.State == "down" && strings.Contains(l.LastError, "the token expired")
		})
		b.secretless(token)
	}
}

// TestT41_ForgedProof: who knows the inviter's key and address but not the secret gets nothing, and
// an invite for one name lets no other in.
func TestT41_ForgedProof(t *testing.T) {
	a, b := newStations(t)
	token := a.invite(control.InviteRequest{})
	parsed, err := invite.Parse(token)
	if err != nil {
		t.Fatal(err)
	}
	parsed.Secret.Bytes()[7] ^= 0x10
	forged, err := parsed.Text()
	if err != nil {
		t.Fatal(err)
	}
	if state := b.join(forged); state == "established" {
		t.Fatal("a guessed secret makes a link")
	}
	if a.log.count("invite refused") == 0 || a.log.count("peer refused") == 0 || a.invites() != 1 || a.link("pal") != nil {
		t.Errorf("%s", a.log.out.String())
	}
	ctx, cancel := b.within()
	defer cancel()
	if err := b.node.Unpair(ctx, "alice"); err != nil {
		t.Fatal(err)
	}
	if state := b.join(token); state != "established" {
		t.Errorf("the genuine one afterwards: %s", state)
	}
	forCarol := a.invite(control.InviteRequest{Link: "carol", Peer: "carol"})
	dave := newStation(t, a.network, "dave", 4)
	dave.start()
	if state := dave.join(forCarol); state == "established" || a.link("carol") != nil || a.invites() != 1 {
		t.Errorf("dave joined by carol's invite: %s", state)
	}
}

// TestT41_ReplayedJoining: what was recorded of a joining makes no second link when it is played
// again, also while another invite is open.
func TestT41_ReplayedJoining(t *testing.T) {
	a, b := newStations(t)
	var mu sync.Mutex
	var heard [][]byte
	a.network.Lose(func(from, to netip.AddrPort, d []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		if to == a.address {
			heard = append(heard, bytes.Clone(d))
		}
		return false
	})
	if state := b.join(a.invite(control.InviteRequest{})); state != "established" {
		t.Fatal(state)
	}
	a.invite(control.InviteRequest{Link: "second"})
	a.network.Lose(nil)
	mallory := a.network.Listen(netip.MustParseAddrPort("192.0.2.66:33536"))
	defer mallory.Close()
	for range 3 {
		for _, d := range heard {
			mallory.Send(a.address, d, len(d), 0)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if a.invites() != 1 || a.link("second") != nil || a.link("pal").State != "established" || a.log.count("invite used") != 1 {
		t.Errorf("%+v", a.link("pal"))
	}
}

// TestUnpair: a link that is removed at one end is gone there for good, and can be made again.
func TestUnpair(t *testing.T) {
	a, b := newStations(t)
	if state := b.join(a.invite(control.InviteRequest{})); state != "established" {
		t.Fatal(state)
	}
	ctx, cancel := a.within()
	defer cancel()
	if err := a.node.Unpair(ctx, "pal"); err != nil {
		t.Fatal(err)
	}
	if a.link("pal") != nil || a.node.Pinned("bob") != nil {
		t.Errorf("still there: %+v, pins %v", a.link("pal"), a.node.Pinned("bob"))
	}
	if left, _ := daemon.Learnt(a.state); len(left) != 0 {
		t.Errorf("files: %v", left)
	}
	if err := a.node.Unpair(ctx, "pal"); err == nil {
		t.Error("removed twice")
	}
	eventually(t, "the other end hears of it", func() bool { return b.link("alice").State != "established" })
	a.stop()
	a.start()
	if a.link("pal") != nil {
		t.Error("it comes back after a restart")
	}
	upCtx, upCancel := b.within()
	defer upCancel()
	if s, err := b.node.Up(upCtx, "alice"); err == nil && s.State == "established" {
		t.Error("the removed peer gets a link")
	}
	again, cancelAgain := b.within()
	defer cancelAgain()
	if err := b.node.Unpair(again, "alice"); err != nil {
		t.Fatal(err)
	}
	if state := b.join(a.invite(control.InviteRequest{})); state != "established" {
		t.Errorf("paired again: %s", state)
	}
}

func inJSON(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// TestStorm_Pairing invites, joins, revokes and unpairs at both ends at once, again and again. It is for
// the race detector; in the end a pairing serves, and after the stop nothing is left.
func TestStorm_Pairing(t *testing.T) {
	a, b := newStations(t)
	limit := time.Now().Add(2 * time.Second)
	var storm sync.WaitGroup
	brief := func(do func(context.Context)) {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		do(ctx)
	}
	tokens := make(chan string, 1)
	for i, word := range []func(){
		func() {
			if i, err := a.node.Invite(t.Context(), control.InviteRequest{Link: "pal", Expires: "1h", Endpoint: a.address}); err == nil {
				select {
				case tokens <- i.Token:
				default:
				}
			}
		},
		func() {
			select {
			case token := <-tokens:
				brief(func(ctx context.Context) { b.node.Join(ctx, token, "") })
			default:
			}
		},
		func() { brief(func(ctx context.Context) { a.node.Unpair(ctx, "pal") }) },
		func() { brief(func(ctx context.Context) { b.node.Unpair(ctx, "alice") }) },
		func() { a.node.Revoke(t.Context(), "pal") },
		func() { brief(func(ctx context.Context) { b.node.Up(ctx, "alice") }) },
		func() { a.node.Status(t.Context()) },
		func() { b.node.Status(t.Context()) },
		func() { a.node.Pinned("bob") },
	} {
		storm.Go(func() {
			for time.Now().Before(limit) {
				word()
				time.Sleep(time.Duration(1+5*i) * time.Millisecond)
			}
		})
	}
	storm.Wait()
	for _, c := range []struct {
		s    *station
		name string
	}{{a, "pal"}, {b, "alice"}} {
		eventually(t, c.s.name+" has no link any more", func() bool {
			brief(func(ctx context.Context) { c.s.node.Unpair(ctx, c.name) })
			return c.s.link(c.name) == nil
		})
	}
	a.node.Revoke(t.Context(), "pal")
	eventually(t, "a pairing serves", func() bool {
		i, err := a.node.Invite(t.Context(), control.InviteRequest{Link: "pal", Expires: "1h", Endpoint: a.address})
		if err != nil {
			return false
		}
		if b.join(i.Token) == "established" {
			return true
		}
		a.node.Revoke(t.Context(), "pal")
		return false
	})
	a.stop()
	b.stop()
	for _, s := range []*station{a, b} {
		if c := s.node.Census(); c.Machines != 0 || c.LayerTwoIDs != 0 || c.Pairs != 0 || c.Claims != 0 || c.HalfOpen != 0 {
			t.Errorf("%s keeps after its end: %+v", s.name, c)
		}
	}
}
