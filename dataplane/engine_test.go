package dataplane_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"pc5d/dataplane"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

var (
	addrA   = netip.MustParseAddr("10.9.0.1")
	addrB   = netip.MustParseAddr("10.9.0.2")
	outerA  = netip.MustParseAddrPort("192.0.2.1:33536")
	outerB  = netip.MustParseAddrPort("192.0.2.2:33536")
	idA     = underlay.LayerTwoID(0x00000a)
	idB     = underlay.LayerTwoID(0x00000b)
	session = uint16(0x1234)
)

// end is one engine with one link.
type end struct {
	engine  *dataplane.Engine
	link    *dataplane.Link
	tun     *tundev.Fake
	conn    *udp.Fake
	signals chan []byte
}

func newEnd(t testing.TB, network *udp.Network, at netip.AddrPort) *end {
	t.Helper()
	return newEndWith(t, network, at, func(*dataplane.Config) {})
}

// newEndWith makes an end whose configuration the test changes.
func newEndWith(t testing.TB, network *udp.Network, at netip.AddrPort, change func(*dataplane.Config)) *end {
	t.Helper()
	e := &end{tun: tundev.NewFake("pc5-x"), conn: network.Listen(at), signals: make(chan []byte, 16)}
	c := dataplane.Config{
		Conn: e.conn, Poller: tundev.NewFakePoller(), Log: slog.New(slog.DiscardHandler),
		Signalling: func(_ dataplane.Port, _ netip.AddrPort, d []byte) { e.signals <- bytes.Clone(d) },
	}
	change(&c)
	e.engine = dataplane.New(c)
	l, err := e.engine.AddLink("x", e.tun)
	if err != nil {
		t.Fatal(err)
	}
	e.link = l
	return e
}

func contextOf(session uint16, a bool) dataplane.Context {
	c := dataplane.Context{
		ID: dataplane.ContextID{Local: idA, Peer: idB, Session: session}, Endpoint: outerB, Suite: suite.AES128GCM,
		SendKey: bytes.Repeat([]byte{byte(session)}, 16), RecvKey: bytes.Repeat([]byte{byte(session >> 8)}, 16),
		SendSalt: [12]byte{1}, RecvSalt: [12]byte{2}, Sources: []netip.Prefix{netip.PrefixFrom(addrB, 32)},
	}
	if !a {
		c.ID.Local, c.ID.Peer, c.Endpoint = idB, idA, outerA
		c.SendKey, c.RecvKey, c.SendSalt, c.RecvSalt = c.RecvKey, c.SendKey, c.RecvSalt, c.SendSalt
		c.Sources = []netip.Prefix{netip.PrefixFrom(addrA, 32)}
	}
	return c
}

// drain polls until n packets have reached the interface, and gives their buffers back.
func (e *end) drain(t testing.TB, n int) {
	t.Helper()
	for got := 0; got < n; {
		if err := e.engine.Poll(); err != nil {
			t.Fatal(err)
		}
		for len(e.tun.Packets()) > 0 {
			e.tun.Recycle(<-e.tun.Packets())
			got++
		}
	}
}

// newPair makes two ends with one context; nothing runs yet.
func newPair(t testing.TB) (a, b *end, network *udp.Network) {
	t.Helper()
	network = udp.NewNetwork()
	a, b = newEnd(t, network, outerA), newEnd(t, network, outerB)
	install(t, a.link, contextOf(session, true))
	install(t, b.link, contextOf(session, false))
	return a, b, network
}

func install(t testing.TB, l *dataplane.Link, c dataplane.Context) {
	t.Helper()
	if err := l.Install(c); err != nil {
		t.Fatal(err)
	}
	if err := l.Activate(c.ID); err != nil {
		t.Fatal(err)
	}
}

func run(t testing.TB, ends ...*end) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, len(ends))
	for _, e := range ends {
		go func() { done <- e.engine.Run(ctx) }()
		<-e.engine.Ready()
	}
	t.Cleanup(func() {
		cancel()
		for range ends {
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		}
	})
}

// packet is an IPv4 packet of n octets.
func packet(source, destination netip.Addr, n int, fill byte) []byte {
	p := bytes.Repeat([]byte{fill}, n)
	p[0], p[6], p[7], p[9] = 0x45, 0, 0, 253 // all are of one flow, which has no ports
	binary.BigEndian.PutUint16(p[2:], uint16(n))
	s, d := source.As4(), destination.As4()
	copy(p[12:], s[:])
	copy(p[16:], d[:])
	return p
}

func want(t testing.TB, from *end, packet []byte) {
	t.Helper()
	select {
	case got := <-from.tun.Packets():
		if !bytes.Equal(got, packet) {
			t.Fatalf("packet of %d octets differs from the one of %d", len(got), len(packet))
		}
	case <-time.After(5 * time.Second):
		t.Fatalf("no packet; drops %v, engine %v", from.link.Counters().Drops, from.engine.Drops())
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEndToEnd(t *testing.T) {
	a, b, _ := newPair(t)
	run(t, a, b)
	for i, n := range []int{20, 84, 576, 1400, 1404, 100} {
		p := packet(addrA, addrB, n, byte(i))
		a.tun.Deliver(p)
		want(t, b, p)
		q := packet(addrB, addrA, n, byte(i))
		b.tun.Deliver(q)
		want(t, a, q)
	}
	waitFor(t, func() bool { return a.link.Counters().Received.Packets == 6 }) // the device has a packet before it is counted
	if c := a.link.Counters(); c.Sent.Packets != 6 || c.Sent.Octets != 20+84+576+1400+1404+100 {
		t.Fatalf("counters %+v", c)
	}
}

// Any sequence of packets arrives whole and in order, in few records.
func TestPackingKeepsPackets(t *testing.T) {
	a, b, _ := newPair(t)
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(20, 1404), rapid.Just(1400), rapid.Just(52), rapid.IntRange(1370, 1404)), 1, 200).Draw(t, "sizes")
		before := a.link.Counters().Sent
		for i, n := range sizes {
			a.tun.Deliver(packet(addrA, addrB, n, byte(i)))
		}
		for got := 0; got < len(sizes); {
			a.engine.Turn(a.link.Key())
			if err := b.engine.Poll(); err != nil {
				t.Fatal(err)
			}
			for more := true; more; {
				select {
				case p := <-b.tun.Packets():
					if !bytes.Equal(p, packet(addrA, addrB, sizes[got], byte(got))) {
						t.Fatalf("packet %d of %d octets came changed", got, sizes[got])
					}
					b.tun.Recycle(p)
					got++
				default:
					more = false
				}
			}
		}
		after := a.link.Counters().Sent
		if after.Packets-before.Packets != uint64(len(sizes)) || after.Records-before.Records > uint64(len(sizes)) {
			t.Fatalf("%d packets in %d records", after.Packets-before.Packets, after.Records-before.Records)
		}
	})
}

func TestSmallPacketsShareARecord(t *testing.T) {
	a, b, _ := newPair(t)
	for range 20 {
		a.tun.Deliver(packet(addrA, addrB, 64, 7))
	}
	a.engine.Turn(a.link.Key())
	if c := a.link.Counters().Sent; c.Records != 1 || c.Packets != 20 {
		t.Fatalf("sent %+v, want 20 packets in one record", c)
	}
	if err := b.engine.Poll(); err != nil {
		t.Fatal(err)
	}
	if c := b.link.Counters().Received; c.Records != 1 || c.Packets != 20 || c.Octets != 20*64 {
		t.Fatalf("received %+v", c)
	}
}

func TestNoAllocationsPerPacket(t *testing.T) {
	a, b, _ := newPair(t)
	small, large := packet(addrA, addrB, 64, 1), packet(addrA, addrB, 1400, 2)
	step := func() {
		for range 40 {
			a.tun.Deliver(large)
			a.tun.Deliver(small)
		}
		a.engine.Turn(a.link.Key())
		a.engine.Turn(a.link.Key())
		b.drain(t, 80)
	}
	for range 30 {
		step() // the fakes' buffers grow to their size
	}
	if n := testing.AllocsPerRun(50, step); n >= 1 {
		t.Fatalf("%v allocations per 80 packets", n)
	}
}

func TestT36RefusedDatagramsAllocateNothing(t *testing.T) {
	_, b, _ := newPair(t)
	unknown := record.Header{Header: underlay.Header{Destination: 1, Source: 2, LCID: underlay.DRB}, Count: 5}.AppendTo(nil)
	unknown = append(unknown, make([]byte, 64)...)
	forged := record.Header{Header: underlay.Header{Destination: idB, Source: idA, LCID: underlay.DRB}, Session: session, Count: 5}.AppendTo(nil)
	forged = append(forged, make([]byte, 64)...)
	step := func() {
		b.conn.Inject(outerA, unknown, len(unknown))
		b.conn.Inject(outerA, forged, len(forged))
		b.conn.Inject(outerA, []byte{1, 2, 3}, 3)
		if err := b.engine.Poll(); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		step()
	}
	if n := testing.AllocsPerRun(50, step); n >= 1 {
		t.Fatalf("%v allocations", n)
	}
	drops, link := b.engine.Drops(), b.link.Counters().Drops
	if drops.Of(dataplane.DropUnknownContext) == 0 || drops.Of(dataplane.DropMalformed) == 0 || link.Of(dataplane.DropUnverified) == 0 {
		t.Fatalf("drops %v, link %v", drops, link)
	}
}

func TestT52ReplayT53Forgery(t *testing.T) {
	a, b, network := newPair(t)
	var wire []byte
	network.Lose(func(_, _ netip.AddrPort, d []byte) bool { wire = bytes.Clone(d); return false })
	p := packet(addrA, addrB, 100, 1)
	send := func() {
		a.tun.Deliver(p)
		a.engine.Turn(a.link.Key())
		if err := b.engine.Poll(); err != nil {
			t.Fatal(err)
		}
	}
	send()
	want(t, b, p)
	forged := bytes.Clone(wire)
	forged[12] = 0xff // COUNT far ahead
	b.conn.Inject(outerA, append(append(bytes.Clone(wire), wire...), forged...), len(wire))
	if err := b.engine.Poll(); err != nil {
		t.Fatal(err)
	}
	send()
	want(t, b, p) // the window did not move with the forged COUNT
	b.conn.Inject(outerA, append(bytes.Clone(wire), wire...), len(wire))
	if err := b.engine.Poll(); err != nil {
		t.Fatal(err)
	}
	drops := b.link.Counters().Drops
	if drops.Of(dataplane.DropReplayed) != 4 || drops.Of(dataplane.DropUnverified) != 1 {
		t.Fatalf("replayed %d, unverified %d; want 4 and 1", drops.Of(dataplane.DropReplayed), drops.Of(dataplane.DropUnverified))
	}
	if n := len(b.tun.Packets()); n != 0 {
		t.Fatalf("%d packets too many", n)
	}
}

func TestRetireTakesTheLinkDown(t *testing.T) {
	a, _, _ := newPair(t)
	run(t, a)
	a.link.Retire(contextOf(session, true).ID)
	if a.link.Up() {
		t.Fatal("up without a sending context")
	}
	a.tun.Deliver(packet(addrA, addrB, 100, 1))
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		c := a.link.Counters()
		if c.Drops.Of(dataplane.DropLinkDown) == 1 && c.Sent.Packets == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("counters %+v", c)
		}
	}
	install(t, a.link, contextOf(session+1, true))
	a.link.Retire(contextOf(session, true).ID) // unknown by now
	if !a.link.Up() {
		t.Fatal("retiring another session took the link down")
	}
}

func TestAtMostTwoReceiveContexts(t *testing.T) {
	a, b, _ := newPair(t)
	if err := b.link.Install(contextOf(session, false)); err == nil {
		t.Fatal("the same session installed twice")
	}
	install(t, b.link, contextOf(session+1, false))
	old := packet(addrA, addrB, 99, 1)
	a.tun.Deliver(old) // a still sends under the old context: the grace
	a.engine.Turn(a.link.Key())
	if err := b.engine.Poll(); err != nil {
		t.Fatal(err)
	}
	want(t, b, old)
	install(t, b.link, contextOf(session+2, false))
	a.tun.Deliver(old)
	a.engine.Turn(a.link.Key())
	if err := b.engine.Poll(); err != nil {
		t.Fatal(err)
	}
	drops := b.engine.Drops()
	if drops.Of(dataplane.DropUnknownContext) != 1 {
		t.Fatal("a third context did not end the oldest")
	}
}

func TestSignallingGetsTheRest(t *testing.T) {
	a, b, _ := newPair(t)
	run(t, a, b)
	hello := append(underlay.Header{Form: underlay.FormPDCP, Destination: underlay.Broadcast, Source: idA, LCID: underlay.SRB0}.AppendTo(nil), "pdu"...)
	srb2 := append(underlay.Header{Form: underlay.FormRecord, Destination: idB, Source: idA, LCID: underlay.SRB2}.AppendTo(nil), "record"...)
	for _, d := range [][]byte{hello, srb2} {
		if err := a.engine.SendSignalling(dataplane.Port{}, outerB, d); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-b.signals:
			if !bytes.Equal(got, d) {
				t.Fatalf("signalling got %x, want %x", got, d)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("signalling got nothing")
		}
	}
}

func TestOddPackets(t *testing.T) {
	a, _, _ := newPair(t)
	a.tun.Deliver([]byte{0x45})
	a.engine.Turn(a.link.Key())
	if d := a.link.Counters().Drops; d.Of(dataplane.DropInnerMalformed) != 1 {
		t.Fatalf("drops %v", d)
	}
}

func TestLinks(t *testing.T) {
	a, _, _ := newPair(t)
	if _, err := a.engine.AddLink("x", tundev.NewFake("pc5-y")); err == nil {
		t.Fatal("two links of one name")
	}
	if err := a.engine.RemoveLink(a.link); err != nil {
		t.Fatal(err)
	}
	if err := a.engine.RemoveLink(a.link); err == nil {
		t.Fatal("removed twice")
	}
	if err := a.link.Install(contextOf(session, true)); err == nil {
		t.Fatal("installed into a removed link")
	}
	a.link.Retire(contextOf(session, true).ID)
	if _, err := a.tun.Write(make([]byte, 30)); err == nil {
		t.Fatal("the device is open")
	}
}

// T54: a context receives from Install on and sends from Activate on; sending never goes back, and
// a third context ends the oldest that does not send.
func TestT54_SendingNeverGoesBack(t *testing.T) {
	a, b, _ := newPair(t)
	first, second, third := contextOf(session, true).ID, contextOf(session+1, true), contextOf(session+2, true)
	if err := a.link.Activate(second.ID); err == nil {
		t.Fatal("a context that is not installed sends")
	}
	if err := a.link.Install(second); err != nil {
		t.Fatal(err)
	}
	if err := b.link.Install(contextOf(session+1, false)); err != nil {
		t.Fatal(err)
	}
	exchange(t, a, b, session) // installed is not yet sending
	if err := a.link.Activate(second.ID); err != nil {
		t.Fatal(err)
	}
	exchange(t, a, b, session+1)
	if err := a.link.Activate(first); err == nil {
		t.Fatal("sending went back to an older context")
	}
	if err := a.link.Install(third); err != nil {
		t.Fatal(err)
	}
	if err := a.link.Activate(first); err == nil {
		t.Fatal("the oldest context was not ended by the third")
	}
	exchange(t, a, b, session+1)
}

// exchange sends one packet from a to b and looks under which session.
func exchange(t *testing.T, a, b *end, want uint16) {
	t.Helper()
	a.tun.Deliver(packet(addrA, addrB, 100, 1))
	a.engine.Turn(a.link.Key())
	messages := udp.NewMessages(1)
	if _, err := b.conn.Receive(messages, true); err != nil {
		t.Fatal(err)
	}
	h, _, _, err := record.ParseHeader(messages[0].Data)
	if err != nil || h.Session != want {
		t.Fatalf("sent under session %04x (%v), want %04x", h.Session, err, want)
	}
	b.engine.Process(dataplane.Port{}, messages)
	b.tun.Recycle(<-b.tun.Packets())
}

func TestContextRefusals(t *testing.T) {
	a, _, _ := newPair(t)
	for name, change := range map[string]func(*dataplane.Context){
		"unknown suite": func(c *dataplane.Context) { c.Suite = 4 },
		"unknown mode":  func(c *dataplane.Context) { c.Mode = 4 },
		"no suite":      func(c *dataplane.Context) { c.Suite = suite.None },
		"key too short": func(c *dataplane.Context) { c.Suite = suite.ChaCha20Poly1305 },
		"short key":     func(c *dataplane.Context) { c.RecvKey = c.RecvKey[:15] },
		"broadcast":     func(c *dataplane.Context) { c.ID.Local = underlay.Broadcast },
	} {
		c := contextOf(9, true)
		change(&c)
		if err := a.link.Install(c); err == nil {
			t.Errorf("%s: installed", name)
		}
	}
	if s := fmt.Sprintf("%v %+v %#v", contextOf(9, true), contextOf(9, true), contextOf(9, true)); bytes.Contains([]byte(s), []byte("9 9")) || !bytes.Contains([]byte(s), []byte("redacted")) {
		t.Errorf("context prints %s", s)
	}
}

func TestDropNames(t *testing.T) {
	var d dataplane.Drops
	seen := map[string]bool{}
	for reason := range d.All() {
		s := reason.String()
		if s == "" || s == "unknown" || seen[s] {
			t.Errorf("drop %d is called %q", reason, s)
		}
		seen[s] = true
	}
}
