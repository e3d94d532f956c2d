package daemon

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"pc5d/daemon/auth"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/host"
	"pc5d/daemon/kept"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/daemon/task"
	"pc5d/dataplane"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// nowhere is a host without interfaces.
type nowhere struct{}

func (nowhere) Configure(host.Interface) error   { return nil }
func (nowhere) Guard([]netip.Prefix) error       { return nil }
func (nowhere) Taken(netip.Addr) (string, error) { return "", nil }
func (nowhere) Clean() error                     { return nil }
func (nowhere) Close()                           {}

// trustNobody has no pins.
type trustNobody struct{}

func (trustNobody) Pinned(string) []policy.Fingerprint { return nil }

// newDoorstep makes a node without links. With a scheduler whose queues run nothing, what happens at its
// door happens during the call.
func newDoorstep(t testing.TB, limits Limits, log slog.Handler) *Node {
	t.Helper()
	return newNode(t, &provision.Provisioning{}, udp.NewNetwork(), still{}, limits, log)
}

func newNode(t testing.TB, p *provision.Provisioning, network *udp.Network, tasks task.Scheduler, limits Limits, log slog.Handler) *Node {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := auth.NewIdentity(key, "bob", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	conn := network.Listen(netip.MustParseAddrPort("192.0.2.1:33536"))
	engine := dataplane.New(dataplane.Config{Conn: conn, Poller: tundev.NewFakePoller(), Log: slog.New(log)})
	n, err := New(Config{
		Provisioning: p, Engine: engine, Scheduler: tasks, Network: nowhere{}, StateDir: t.TempDir(),
		Auth: auth.New(auth.Config{Identity: id, Trust: trustNobody{}, Now: time.Now}), Timers: link.ProfileIP(), Limits: limits, Log: slog.New(log),
		OpenTUN: func(name string, _ int) (tundev.Device, error) { return tundev.NewFake(name), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

// request is an establishment request of somebody for bob.
func request(nonce byte) []byte {
	n, msb := [16]byte{nonce}, uint8(1)
	return pc5s.Marshal(&pc5s.DirectLinkEstablishmentRequest{
		SourceUserInfo: []byte("alice"), TargetUserInfo: []byte("bob"), Nonce1: &n, KNRPSessMSB: &msb, Capabilities: pc5s.Capabilities{0x20, 0x20, 0x80},
		KeyEstablishmentInfo: (&kei.Offer{Methods: []kei.Method{kei.TLS13}}).AppendTo(nil), ProSeIdentifiers: pc5s.ServiceIdentifier("ip"),
	})
}

// knock is a message in clear for the broadcast L2 ID.
func knock(from underlay.LayerTwoID, sdu []byte) []byte {
	h := underlay.Header{Form: underlay.FormPDCP, Destination: underlay.Broadcast, Source: from, LCID: underlay.SRB0}
	return pdcp.AppendUnprotected(h.AppendTo(nil), 0, sdu)
}

// respond is a first response to a request, with a cookie and the beginning of a flight.
func respond(cookie, request []byte) []byte {
	c := kei.Container{
		Method: kei.TLS13, Tag: kei.Tag(request), HasCookie: true, Cookie: cookie, HasRequest: true, Request: request,
		HasTotal: true, Total: 100, More: true, Fragment: []byte{0x16},
	}
	return pc5s.Marshal(&pc5s.DirectLinkAuthenticationResponse{KeyEstablishmentInfo: c.AppendTo(nil)})
}

// TestT30_NodeAllocatesNothing: whatever a stranger sends, to the door or to pairs that nobody has, at
// each port, costs no memory; with debug lines, too.
func TestT30_NodeAllocatesNothing(t *testing.T) {
	n := newDoorstep(t, Limits{}, slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	unknown := underlay.Header{Form: underlay.FormRecord, Destination: 5, Source: 6, LCID: underlay.SRB2}.AppendTo(nil)
	from := netip.MustParseAddrPort("198.51.100.7:4444")
	other, err := n.cfg.Engine.AddPort(udp.NewNetwork().Listen(netip.MustParseAddrPort("192.0.2.1:5")))
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string][]byte{
		"a request":    knock(7, request(1)),
		"a bad cookie": knock(7, respond(make([]byte, 25), request(1))),
		"nothing":      nil,
		"octets":       bytes.Repeat([]byte{0xA5}, 1400),
		"another form": underlay.Header{Form: 9, Destination: underlay.Broadcast, Source: 7}.AppendTo(nil),
		"unknown pair": unknown,
		"a hint":       underlay.Header{Form: underlay.FormHint, Destination: 5, Source: 6, LCID: underlay.SRB1}.AppendTo(nil),
	} {
		for _, port := range []dataplane.Port{{}, other} {
			n.Receive(port, from, d)
			n.Stray(port, from, underlay.Header{Form: underlay.FormRecord, Destination: 5, Source: 6})
			if allocs := testing.AllocsPerRun(100, func() {
				n.Receive(port, from, d)
				n.Receive(port, netip.AddrPortFrom(from.Addr(), 0), d)
			}); allocs != 0 {
				t.Errorf("%s at %v: %v allocations", name, port, allocs)
			}
		}
	}
	if n.door.cookies.Load() == 0 || n.door.waiting.Load() != 0 {
		t.Errorf("%d cookies, %d wait", n.door.cookies.Load(), n.door.waiting.Load())
	}
}

// TestT30_KnownKeysAllocateNothing: a request that names a key that is kept, or searches for one, and does
// not prove it, costs no memory either, with a gate and without.
func TestT30_KnownKeysAllocateNothing(t *testing.T) {
	for _, gate := range []bool{false, true} {
		n := newNode(t, &provision.Provisioning{Node: provision.Node{Gate: gate}}, udp.NewNetwork(), still{}, Limits{}, slog.DiscardHandler)
		n.store = kept.Open(kept.Config{})
		secret := keys.NewSecret(bytes.Repeat([]byte{3}, keys.ResumptionKeyLen))
		now := time.Now()
		n.store.Put(kept.Entry{ID: 77, Peer: "alice", Service: "ip", Key: keys.ResumptionKey{Secret: secret}, Made: now, Authenticated: now})
		if n.kept.Len() != 1 {
			t.Fatal("the key is not kept")
		}
		for name, change := range map[string]func(*pc5s.DirectLinkEstablishmentRequest, *kei.Offer){
			"known ID":   func(r *pc5s.DirectLinkEstablishmentRequest, _ *kei.Offer) { r.KNRPID = new(uint32(77)) },
			"unknown ID": func(r *pc5s.DirectLinkEstablishmentRequest, _ *kei.Offer) { r.KNRPID = new(uint32(78)) },
			"tag":        func(_ *pc5s.DirectLinkEstablishmentRequest, o *kei.Offer) { o.KeyTag = &[kei.TagLen]byte{1} },
		} {
			msg, err := pc5s.Parse(request(1))
			if err != nil {
				t.Fatal(err)
			}
			r, at := msg.(*pc5s.DirectLinkEstablishmentRequest), uint64(now.UnixNano())
			o := kei.Offer{Methods: []kei.Method{kei.PSKDHE, kei.TLS13}, Share: &[kei.ShareLen]byte{9}, Time: &at, Binder: &[kei.ProofLen]byte{1}}
			change(r, &o)
			r.KeyEstablishmentInfo = o.AppendTo(nil)
			d, from := knock(7, pc5s.Marshal(r)), netip.MustParseAddrPort("198.51.100.7:4444")
			n.Receive(dataplane.Port{}, from, d)
			if allocs := testing.AllocsPerRun(100, func() { n.Receive(dataplane.Port{}, from, d) }); allocs != 0 {
				t.Errorf("%s, gate %v: %v allocations", name, gate, allocs)
			}
		}
		if cookies := n.door.cookies.Load() > 0; cookies == gate {
			t.Errorf("gate %v: %d cookies", gate, n.door.cookies.Load())
		}
	}
}

// TestDoor_AnswersNobody: a sender whom no answer can reach, or many could, gets none.
func TestDoor_AnswersNobody(t *testing.T) {
	n := newDoorstep(t, Limits{}, slog.DiscardHandler)
	for _, from := range []string{"192.0.2.9:0", "224.0.0.1:33536", "0.0.0.0:33536", "[ff02::1]:33536", "[::]:33536"} {
		n.Receive(dataplane.Port{}, netip.MustParseAddrPort(from), knock(7, request(1)))
	}
	if c := n.door.cookies.Load(); c != 0 {
		t.Errorf("%d answers", c)
	}
}
