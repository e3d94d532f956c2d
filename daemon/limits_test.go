package daemon

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/daemon/task"
	"pc5d/dataplane"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// manual is a scheduler whose tasks run when the test says so, and whose clock stands.
type manual struct {
	now   time.Time
	tasks []func()
}

func (m *manual) Now() time.Time             { return m.now }
func (m *manual) NewQueue(func()) task.Queue { return &manualQueue{scheduler: m} }

func (m *manual) run() {
	for len(m.tasks) > 0 {
		next := m.tasks[0]
		m.tasks = m.tasks[1:]
		next()
	}
}

type manualQueue struct {
	scheduler *manual
	closed    bool
}

func (q *manualQueue) WakeAt(time.Time) {}
func (q *manualQueue) Close()           { q.closed = true }

func (q *manualQueue) Post(task func()) {
	q.scheduler.tasks = append(q.scheduler.tasks, func() {
		if !q.closed {
			task()
		}
	})
}

// crowd is strangers with addresses of their own before a node's door.
type crowd struct {
	t       *testing.T
	node    *Node
	tasks   *manual
	network *udp.Network
	came    int
	refused int // rejects that came back
}

func newCrowd(t *testing.T, limits Limits) *crowd {
	c := &crowd{t: t, tasks: &manual{now: time.Unix(1000, 0)}, network: udp.NewNetwork()}
	c.node = newNode(t, &provision.Provisioning{}, c.network, c.tasks, limits, slog.DiscardHandler)
	return c
}

// come sends a request from an address, brings its cookie back, and begins a handshake that it does not
// go on with.
func (c *crowd) come(address string) {
	c.t.Helper()
	c.came++
	from := netip.AddrPortFrom(netip.MustParseAddr(address), uint16(1000+c.came))
	conn := c.network.Listen(from)
	defer conn.Close()
	self, r := underlay.LayerTwoID(c.came), request(byte(c.came))
	c.node.Receive(dataplane.Port{}, from, knock(self, r))
	m, ok := c.answer(conn).(*pc5s.DirectLinkAuthenticationRequest)
	if !ok {
		c.t.Fatalf("%s got no cookie", address)
	}
	container, err := kei.Parse(m.KeyEstablishmentInfo)
	if err != nil {
		c.t.Fatal(err)
	}
	first := knock(self, respond(container.Cookie, r))
	c.node.Receive(dataplane.Port{}, from, first)
	c.tasks.run()
	if _, ok := c.answer(conn).(*pc5s.DirectLinkEstablishmentReject); ok {
		c.refused++
	}
}

// answer reads one message in clear.
func (c *crowd) answer(conn *udp.Fake) pc5s.Message {
	c.t.Helper()
	messages := udp.NewMessages(1)
	if _, err := conn.Receive(messages, true); err != nil {
		c.t.Fatal(err)
	}
	m, err := pc5s.Parse(messages[0].Data[underlay.HeaderLen+2:])
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// want compares what a crowd left with what it should.
func (c *crowd) want(halfOpen, evicted int, why obstacle, refused int) {
	c.t.Helper()
	if got := c.node.Census(); got.HalfOpen != halfOpen || got.Machines != halfOpen {
		c.t.Errorf("%d half-open, %d machines, want %d", got.HalfOpen, got.Machines, halfOpen)
	}
	if got := int(c.node.door.evicted.Load()); got != evicted {
		c.t.Errorf("%d made room, want %d", got, evicted)
	}
	if got := int(c.node.door.refused[why].Load()); got != refused || c.refused != refused {
		c.t.Errorf("%d refused for %s, %d rejects, want %d", got, obstacleNames[why], c.refused, refused)
	}
}

// TestT32_LimitsOfTheDoor lowers each limit and meets it with validated addresses.
func TestT32_LimitsOfTheDoor(t *testing.T) {
	t.Run("half-open of a source", func(t *testing.T) {
		c := newCrowd(t, Limits{HalfOpenPerSource: 2})
		c.come("198.51.100.2")
		for range 5 {
			c.come("198.51.100.1")
		}
		c.want(3, 3, obstacleHalfOpen, 0)
	})
	t.Run("half-open of all", func(t *testing.T) {
		c := newCrowd(t, Limits{HalfOpen: 2})
		for n := range 5 {
			c.come(fmt.Sprintf("198.51.100.%d", n))
		}
		c.want(2, 0, obstacleHalfOpen, 3)
	})
	t.Run("handshakes of a source", func(t *testing.T) {
		c := newCrowd(t, Limits{Handshakes: Rate{PerSecond: 2, Burst: 3}})
		for range 5 {
			c.come("2001:db8::1")
		}
		c.come("2001:db8:0:1::1")
		c.want(4, 0, obstacleSource, 2)
		c.tasks.now = c.tasks.now.Add(500 * time.Millisecond)
		c.come("2001:db8::2")
		c.come("2001:db8::2")
		c.want(5, 0, obstacleSource, 3)
	})
	t.Run("full authentications of the node", func(t *testing.T) {
		c := newCrowd(t, Limits{TLS: Rate{PerSecond: 10, Burst: 2}})
		for n := range 5 {
			c.come(fmt.Sprintf("198.51.100.%d", n))
		}
		c.want(2, 0, obstacleNode, 3)
		c.tasks.now = c.tasks.now.Add(100 * time.Millisecond)
		c.come("198.51.100.9")
		c.want(3, 0, obstacleNode, 3)
	})
}

// TestT32_RestartsAreHandshakes: who begins the handshake of one conversation again and again spends what
// its source and the node have, as with new conversations.
func TestT32_RestartsAreHandshakes(t *testing.T) {
	c := newCrowd(t, Limits{Handshakes: Rate{PerSecond: 1, Burst: 3}})
	from := netip.MustParseAddrPort("198.51.100.1:1")
	conn := c.network.Listen(from)
	defer conn.Close()
	r := request(1)
	c.node.Receive(dataplane.Port{}, from, knock(7, r))
	challenge, err := kei.Parse(c.answer(conn).(*pc5s.DirectLinkAuthenticationRequest).KeyEstablishmentInfo)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 6 {
		first := kei.Container{
			Method: kei.TLS13, Tag: kei.Tag(r), HasCookie: true, Cookie: challenge.Cookie, HasRequest: true, Request: r,
			HasTotal: true, Total: 100, More: true, Fragment: []byte{0x16, byte(n)},
		}
		for range 3 { // repeated, it costs nothing
			c.node.Receive(dataplane.Port{}, from, knock(7, pc5s.Marshal(&pc5s.DirectLinkAuthenticationResponse{KeyEstablishmentInfo: first.AppendTo(nil)})))
			c.tasks.run()
		}
	}
	if n := c.node.drops[link.DropRate].Load(); n != 3*3 {
		t.Errorf("%d of the later ones were dropped, want 9", n)
	}
	c.want(1, 0, obstacleSource, 0)
}

// TestC8_RepeatedResponsesAreBounded: a recorded first response is good for a cookie's life, and its machine
// may be slow, as when the socket has no room. No more of them wait for it than other datagrams may.
func TestC8_RepeatedResponsesAreBounded(t *testing.T) {
	c := newCrowd(t, Limits{Inbox: 2})
	from := netip.MustParseAddrPort("198.51.100.1:1")
	conn := c.network.Listen(from)
	defer conn.Close()
	r := request(1)
	c.node.Receive(dataplane.Port{}, from, knock(7, r))
	challenge, err := kei.Parse(c.answer(conn).(*pc5s.DirectLinkAuthenticationRequest).KeyEstablishmentInfo)
	if err != nil {
		t.Fatal(err)
	}
	first := knock(7, respond(challenge.Cookie, r))
	for range 20 {
		c.node.Receive(dataplane.Port{}, from, first)
	}
	c.tasks.run()
	if n := c.node.refused.Load(); n != 17 { // the first one makes the machine
		t.Errorf("%d were turned away, want 17", n)
	}
	c.node.Receive(dataplane.Port{}, from, first)
	c.tasks.run()
	if n := c.node.refused.Load(); n != 17 {
		t.Errorf("one that came alone was turned away")
	}
}

// TestT30_AdmissionsThatWait: no more wait than the limit says, and a copied key does not outlive one that
// is turned away.
func TestT30_AdmissionsThatWait(t *testing.T) {
	n := newDoorstep(t, Limits{Waiting: 2}, slog.DiscardHandler)
	for i := range 4 {
		secret := keys.NewSecret([]byte{1, 2, 3})
		n.door.post(&link.Admitted{Kept: &link.KeptKey{Key: keys.ResumptionKey{Secret: secret}}})
		if wiped := secret.Equal(keys.NewSecret(make([]byte, 3))); wiped != (i >= 2) {
			t.Errorf("admission %d: wiped %v", i, wiped)
		}
	}
	if w, r := n.door.waiting.Load(), n.door.refused[obstacleWaiting].Load(); w != 2 || r != 2 {
		t.Errorf("%d wait, %d refused", w, r)
	}
}

// TestT32_LoadWantsCookies: a request that proved a key is served without a cookie only while there is
// room, its source has handshakes left, and it is the first one.
func TestT32_LoadWantsCookies(t *testing.T) {
	from := netip.MustParseAddrPort("198.51.100.1:1")
	for name, c := range map[string]struct {
		change func(*Node, *link.Admitted)
		want   bool
	}{
		"idle":     {func(*Node, *link.Admitted) {}, false},
		"repeated": {func(_ *Node, a *link.Admitted) { a.Repeated = true }, true},
		"half of the places are taken": {func(n *Node, _ *link.Admitted) {
			n.halfOpen.begin(time.Time{}, conversationOf("192.0.2.9", 1))
		}, true},
		"its source has begun half of what it may": {func(n *Node, _ *link.Admitted) {
			for range 5 {
				n.door.sources.take(n.now(), from.Addr())
			}
		}, true},
		"its source has begun less": {func(n *Node, _ *link.Admitted) {
			for range 4 {
				n.door.sources.take(n.now(), from.Addr())
			}
		}, false},
		"its source has half of its places": {func(n *Node, _ *link.Admitted) {
			n.limits.HalfOpen, n.halfOpen.limits.HalfOpen = 512, 512
			for i := range 4 {
				n.halfOpen.begin(time.Time{}, conversationOf("198.51.100.1", i))
			}
		}, true},
		"the node has begun too many": {func(n *Node, _ *link.Admitted) {
			for n.door.sources.takeTLS(time.Time{}) {
			}
		}, true},
		"with a cookie": {func(n *Node, a *link.Admitted) {
			n.halfOpen.begin(time.Time{}, conversationOf("192.0.2.9", 1))
			a.Proved = true
		}, false},
		"under way": {func(n *Node, a *link.Admitted) {
			c := conversationWith(a)
			n.halfOpen.begin(time.Time{}, c)
			n.halfOpen.attach(c, &runner{})
			a.Repeated = true
		}, false},
	} {
		n := newDoorstep(t, Limits{HalfOpen: 2}, slog.DiscardHandler)
		a := &link.Admitted{From: from, Source: 7, Request: []byte{1}, Kept: &link.KeptKey{}}
		c.change(n, a)
		if got := n.door.wantsCookie(a); got != c.want {
			t.Errorf("%s: wants a cookie %v", name, got)
		}
	}
}

// keyed sends a request that proves a key, in the name of an address that it does not prove. It comes past
// wantsCookie, as many do that wait for their machine together.
func (c *crowd) keyed(address string) {
	c.t.Helper()
	mine, err := pskdhe.New()
	if err != nil {
		c.t.Fatal(err)
	}
	c.came++
	r := request(byte(c.came))
	m, err := pc5s.Parse(r)
	if err != nil {
		c.t.Fatal(err)
	}
	c.node.door.admit(&link.Admitted{
		From: netip.AddrPortFrom(netip.MustParseAddr(address), uint16(1000+c.came)), Source: underlay.LayerTwoID(c.came), Request: r,
		Parsed: m.(*pc5s.DirectLinkEstablishmentRequest), ShareA: mine.Share(),
		Kept: &link.KeptKey{Peer: link.Peer{Name: "evil"}, Key: keys.ResumptionKey{Secret: keys.NewSecret(make([]byte, keys.ResumptionKeyLen))}},
	})
	c.tasks.run()
}

// TestT32_KeyHolderInAnothersName: whoever holds a key needs no cookie, and may write any address. He takes
// no more than half of what its owner has, and ends none of his establishments.
func TestT32_KeyHolderInAnothersName(t *testing.T) {
	const victim = "198.51.100.1"
	c := newCrowd(t, Limits{})
	for range 2 {
		c.come(victim)
	}
	for range 30 {
		c.keyed(victim)
	}
	for range 4 {
		c.come(victim)
	}
	if got := c.node.door.evicted.Load(); got != 0 || c.refused != 0 {
		t.Errorf("%d of the owner's made room, %d were refused", got, c.refused)
	}
	if n := c.node.Census().HalfOpen; n != 6 {
		t.Errorf("%d half-open, want the owner's", n)
	}
}

// TestInboxIsBounded: no more datagrams wait for a machine, or for a request to everybody, than the limit
// says; they are not copied either.
func TestInboxIsBounded(t *testing.T) {
	k := newStill(t)
	k.node.limits.Inbox = 3
	for _, r := range []recipient{k.runner(), &gathering{node: k.node, queue: still{}}} {
		for n := range 5 {
			if ok := r.deliver(packet{datagram: []byte{1}}); ok != (n < 3) {
				t.Errorf("datagram %d of a %T was taken: %v", n, r, ok)
			}
		}
		full := packet{datagram: make([]byte, 1000)}
		if allocs := testing.AllocsPerRun(10, func() { r.deliver(full) }); allocs != 0 {
			t.Errorf("%v allocations for what is not taken", allocs)
		}
	}
}

// TestAnswersAreBounded: a request to everybody follows no more answers than the limit says.
func TestAnswersAreBounded(t *testing.T) {
	k := newStill(t)
	k.node.limits.Answers = 1
	g := &gathering{node: k.node, runners: map[netip.AddrPort]*runner{netip.MustParseAddrPort("192.0.2.2:1"): k.runner()}}
	g.receive(packet{from: netip.MustParseAddrPort("192.0.2.3:1")})
	if len(g.runners) != 1 || k.node.refused.Load() != 1 {
		t.Errorf("%d are followed", len(g.runners))
	}
}

// TestSessionsAreBounded: as TestAttemptsOfAPeerAreBounded, with a lower limit.
func TestSessionsAreBounded(t *testing.T) {
	k := newStill(t)
	k.node.limits.Sessions = 2
	evil := link.Peer{Name: "evil", Fingerprint: policy.Fingerprint{6}}
	k.link = link.Link{Peer: evil.Name, Pins: []policy.Fingerprint{evil.Fingerprint}}
	for range 5 {
		r := k.runner()
		r.role = link.RoleB
		k.authenticated(r, link.Authenticated{Peer: evil})
	}
	if len(k.attempts) != 2 {
		t.Errorf("%d attempts", len(k.attempts))
	}
}

// TestT32_AttemptsToOneAddress: of the links to one address only as many are made at a time as the daemon
// there counts for one source; the others wait, and go on as attempts end, or as nobody wants them.
func TestT32_AttemptsToOneAddress(t *testing.T) {
	var file strings.Builder
	file.WriteString("[node]\nname = \"bob\"\nidentity = \"key\"\n")
	for n := range 5 {
		fmt.Fprintf(&file, "[[link]]\nname = \"l%d\"\npeer = \"p%d\"\npin = %q\nendpoint = \"192.0.2.9:33536\"\naddresses = [\"10.0.0.1/32\"]\nallowed = [\"10.0.1.%d/32\"]\n", n, n, policy.Fingerprint{byte(n)}, n)
	}
	p, err := provision.Parse("bob.toml", []byte(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	tasks := &manual{now: time.Unix(1000, 0)}
	n := newNode(t, p, udp.NewNetwork(), tasks, Limits{Attempts: 2}, slog.DiscardHandler)
	for _, k := range n.ordered() {
		k.post(func(k *keeper) { k.up() })
	}
	tasks.run()
	states := func() (s string) {
		for _, k := range n.ordered() {
			s += " " + k.seen().State
		}
		return s
	}
	if got := states(); got != " establishing establishing waiting waiting waiting" || n.Census().Machines != 2 {
		t.Errorf("states%s, %d machines", got, n.Census().Machines)
	}
	n.keeper("l2").post(func(k *keeper) { k.down() })
	n.keeper("l0").post(func(k *keeper) { k.down() })
	tasks.run()
	if got := states(); got != " down establishing down establishing waiting" || n.Census().Machines != 2 {
		t.Errorf("states%s, %d machines", got, n.Census().Machines)
	}
	for _, name := range []string{"l1", "l3", "l4"} {
		n.keeper(name).post(func(k *keeper) { k.down() })
		tasks.run()
	}
	if got := states(); got != " down down down down down" || len(n.outbound.open) != 0 || len(n.outbound.waiting) != 0 {
		t.Errorf("states%s; %v %v", got, n.outbound.open, n.outbound.waiting)
	}
}
