package dataplane_test

import (
	"bytes"
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"pc5d/dataplane"
	"pc5d/dataplane/record"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

var outerA2 = netip.MustParseAddrPort("192.0.2.1:40000")

func addPort(t testing.TB, e *end, conn udp.Conn) dataplane.Port {
	t.Helper()
	p, err := e.engine.AddPort(conn)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// took is the header of the next record that arrives at a socket that no engine reads.
func took(t testing.TB, c udp.Conn) (h record.Header, from netip.AddrPort) {
	t.Helper()
	messages := udp.NewMessages(1)
	if _, err := c.Receive(messages, true); err != nil {
		t.Fatal(err)
	}
	h, _, _, err := record.ParseHeader(messages[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	return h, messages[0].From
}

// A port receives and sends whether it was added before Run or while it runs, and its contexts
// leave through it.
func TestPortCarriesALink(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before bool
	}{{"added before Run", true}, {"added while it runs", false}} {
		t.Run(tt.name, func(t *testing.T) {
			a, b, network := newPair(t)
			if !tt.before {
				run(t, a, b)
			}
			p := addPort(t, a, network.Listen(outerA2))
			if p == (dataplane.Port{}) {
				t.Fatal("an added port is the zero one")
			}
			if tt.before {
				run(t, a, b)
			}
			c := contextOf(session+1, true)
			c.Port = p
			install(t, a.link, c)
			c = contextOf(session+1, false)
			c.Endpoint = outerA2
			install(t, b.link, c)
			there, back := packet(addrA, addrB, 700, 1), packet(addrB, addrA, 701, 2)
			a.tun.Deliver(there)
			want(t, b, there)
			b.tun.Deliver(back)
			want(t, a, back)
		})
	}
}

// A driver of its own processes what came to each port.
func TestPortSteppedByHand(t *testing.T) {
	a, b, network := newPair(t)
	port := network.Listen(outerA2)
	p := addPort(t, a, port)
	b.link.SetEndpoint(contextOf(session, false).ID, outerA2)
	sent := packet(addrB, addrA, 300, 1)
	b.tun.Deliver(sent)
	b.engine.Turn(b.link.Key())
	messages := udp.NewMessages(1)
	if _, err := port.Receive(messages, true); err != nil {
		t.Fatal(err)
	}
	a.engine.Process(p, messages)
	want(t, a, sent)
	if err := a.engine.RemovePort(p); err != nil {
		t.Fatal(err)
	}
	a.engine.Process(p, messages)
	if got := a.link.Counters(); got.Received.Records != 1 || got.Drops.Of(dataplane.DropReplayed) != 0 {
		t.Fatalf("a removed port processes: %+v", got)
	}
}

func TestPortRefusals(t *testing.T) {
	a, _, network := newPair(t)
	p := addPort(t, a, network.Listen(outerA2))
	c := contextOf(session+1, true)
	c.Port = p
	if err := a.link.Install(c); err != nil {
		t.Fatal(err)
	}
	if a.engine.RemovePort(p) == nil {
		t.Error("removed under a context that may still send")
	}
	if err := a.link.Activate(c.ID); err != nil {
		t.Fatal(err)
	}
	if a.engine.RemovePort(p) == nil {
		t.Error("removed under the context that sends")
	}
	install(t, a.link, contextOf(session+2, true))
	if err := a.engine.RemovePort(p); err != nil {
		t.Errorf("a context that never sends again keeps its port: %v", err)
	}
	for name, p := range map[string]dataplane.Port{"the first port": {}, "a removed port": p} {
		if a.engine.RemovePort(p) == nil {
			t.Errorf("%s can be removed", name)
		}
	}
	c = contextOf(session+3, true)
	c.Port = p
	if a.link.Install(c) == nil {
		t.Error("a context sends through a removed port")
	}
	if a.engine.SendSignalling(p, outerB, []byte{0x10, 0, 0, 1, 0, 0, 2, 0}) == nil {
		t.Error("signalling leaves through a removed port")
	}
}

func TestPortsEndWithRun(t *testing.T) {
	network := udp.NewNetwork()
	e := newEnd(t, network, outerA)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.engine.Run(ctx) }()
	<-e.engine.Ready()
	p := addPort(t, e, network.Listen(outerA2))
	gone := addPort(t, e, network.Listen(netip.MustParseAddrPort("192.0.2.1:0")))
	if err := e.engine.RemovePort(gone); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatalf("Run: %v", err)
	}
	if _, err := e.engine.AddPort(network.Listen(outerB)); err == nil {
		t.Error("an engine that ended takes a port")
	}
	if err := e.engine.RemovePort(p); err != nil {
		t.Errorf("RemovePort after Run: %v", err)
	}
}

// Signalling knows the port it came to and is answered through it.
func TestPortSignalling(t *testing.T) {
	type signal struct {
		port     dataplane.Port
		from     netip.AddrPort
		datagram []byte
	}
	network, signals := udp.NewNetwork(), make(chan signal, 4)
	a := newEndWith(t, network, outerA, func(c *dataplane.Config) {
		c.Signalling = func(p dataplane.Port, from netip.AddrPort, d []byte) {
			signals <- signal{p, from, bytes.Clone(d)}
		}
	})
	run(t, a)
	peer := network.Listen(outerB)
	added := addPort(t, a, network.Listen(outerA2))
	hello := append(underlay.Header{Form: underlay.FormPDCP, Destination: underlay.Broadcast, Source: idB, LCID: underlay.SRB0}.AppendTo(nil), "pdu"...)
	for at, p := range map[netip.AddrPort]dataplane.Port{outerA: {}, outerA2: added} {
		if err := peer.Send(at, hello, len(hello), 0); err != nil {
			t.Fatal(err)
		}
		got := <-signals
		if got.port != p || got.from != outerB || !bytes.Equal(got.datagram, hello) {
			t.Fatalf("sent to %s, came to %s from %s", at, got.port, got.from)
		}
		if err := a.engine.SendSignalling(got.port, got.from, hello); err != nil {
			t.Fatal(err)
		}
		messages := udp.NewMessages(1)
		if _, err := peer.Receive(messages, true); err != nil || messages[0].From != at {
			t.Fatalf("answered from %s, want %s (%v)", messages[0].From, at, err)
		}
	}
}

// C7, T52: the same records arrive at two sockets at the same time: each is delivered once.
func TestT52SameRecordsOnTwoPorts(t *testing.T) {
	a, b, network := newPair(t)
	second := network.Listen(netip.MustParseAddrPort("192.0.2.2:40000"))
	addPort(t, b, second)
	run(t, b)
	const records = 2000
	seen := make(map[byte]int)
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		for {
			select {
			case p := <-b.tun.Packets():
				seen[p[20]]++
				b.tun.Recycle(p)
			case <-ctx.Done():
				return
			}
		}
	})
	wire := network.Listen(netip.MustParseAddrPort("192.0.2.3:1"))
	if err := a.link.SetEndpoint(contextOf(session, true).ID, wire.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if err := a.link.SetPath(contextOf(session, true).ID, dataplane.Path{}); err != nil {
		t.Fatal(err)
	}
	messages := udp.NewMessages(1)
	for sent := 0; sent < records; {
		batch := 1 + sent%40
		for range batch {
			a.tun.Deliver(packet(addrA, addrB, 1400, byte(sent)))
			sent++
		}
		a.engine.Turn(a.link.Key())
		for wire.Waiting() > 0 {
			if _, err := wire.Receive(messages, true); err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				second.Inject(outerA, messages[0].Data, messages[0].Segment)
			}()
			b.conn.Inject(outerA, messages[0].Data, messages[0].Segment)
			<-done
		}
		waitFor(t, func() bool {
			d := b.link.Counters().Drops
			return b.link.Authentic()+d.Of(dataplane.DropReplayed) == 2*a.link.Counters().Sent.Records
		})
	}
	total := a.link.Counters().Sent.Records
	waitFor(t, func() bool { return len(b.tun.Packets()) == 0 })
	cancel()
	wg.Wait()
	c := b.link.Counters()
	if c.Received.Records != total || c.Received.Packets != total || c.Drops.Of(dataplane.DropReplayed) != total {
		t.Fatalf("%d records sent twice: %d received, %d replayed; drops %v", total, c.Received.Records, c.Drops.Of(dataplane.DropReplayed), c.Drops)
	}
	for fill, n := range seen {
		if want := int(total+255-uint64(fill)) / 256; n > want {
			t.Errorf("packets %d: delivered %d times, sent %d times", fill, n, want)
		}
	}
}

func waitFor(t testing.TB, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(50 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatal("still waiting")
		}
	}
}
