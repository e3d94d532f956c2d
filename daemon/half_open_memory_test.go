package daemon

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"pc5d/daemon/auth"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// greet brings a stranger as far as B's answer to its whole first flight, and leaves it there.
func (c *crowd) greet(from netip.AddrPort, curves []tls.CurveID) {
	c.t.Helper()
	c.came++
	conn := c.network.Listen(from)
	defer conn.Close()
	self, r := underlay.LayerTwoID(c.came), request(byte(c.came))
	c.node.Receive(dataplane.Port{}, from, knock(self, r))
	challenge, err := kei.Parse(c.answer(conn).(*pc5s.DirectLinkAuthenticationRequest).KeyEstablishmentInfo)
	if err != nil {
		c.t.Fatal(err)
	}
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	id, err := auth.NewIdentity(key, "alice", time.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	h, err := auth.New(auth.Config{Identity: id, Trust: trustNobody{}, Now: time.Now, Curves: curves}).Initiate("bob", []policy.Fingerprint{{}})
	if err != nil {
		c.t.Fatal(err)
	}
	defer h.Close()
	flight, err := h.Feed(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	out := kei.NewOutgoing(flight)
	container := kei.Container{Method: kei.TLS13, Tag: kei.Tag(r), HasCookie: true, Cookie: challenge.Cookie, HasRequest: true, Request: r}
	header := underlay.Header{Form: underlay.FormPDCP, Destination: underlay.Broadcast, Source: self, LCID: underlay.SRB0}
	for {
		out.Fill(&container)
		m := pc5s.DirectLinkAuthenticationResponse{KeyEstablishmentInfo: container.AppendTo(nil)}
		c.node.Receive(dataplane.Port{}, from, pdcp.AppendUnprotected(header.AppendTo(nil), 0, pc5s.Marshal(&m)))
		c.tasks.run()
		messages := udp.NewMessages(1)
		if _, err := conn.Receive(messages, true); err != nil {
			c.t.Fatal(err)
		}
		got, _, err := underlay.Parse(messages[0].Data)
		if err != nil {
			c.t.Fatal(err)
		}
		if out.Done() {
			return
		}
		answered, err := pc5s.Parse(messages[0].Data[underlay.HeaderLen+2:])
		if err != nil {
			c.t.Fatal(err)
		}
		request, err := kei.Parse(answered.(*pc5s.DirectLinkAuthenticationRequest).KeyEstablishmentInfo)
		if err != nil {
			c.t.Fatal(err)
		}
		header.Destination = got.Source
		container = kei.Container{Method: kei.TLS13, Tag: kei.Tag(r), Exchange: request.Exchange}
	}
}

// used is the memory in use, stacks included.
func used() int64 {
	for range 3 {
		runtime.GC()
		time.Sleep(time.Millisecond) // goroutines that end
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// TestC8_MemoryOfAHalfOpenResponder: what a stranger costs who proved its address and began a handshake,
// all together: 24 KiB with X25519, 29 KiB with the hybrid group. Of the latter 8 KiB are the stack of the
// handshake's goroutine, which its ML-KEM made grow, and about 11 KiB are inside crypto/tls: its input
// buffers, the client hello, the ciphertext, two AEADs.
func TestC8_MemoryOfAHalfOpenResponder(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector needs memory of its own")
	}
	const strangers = 200
	for name, c := range map[string]struct {
		curves []tls.CurveID
		most   int64
	}{"hybrid": {nil, 29 << 10}, "classic": {auth.Classic(), 24 << 10}} {
		t.Run(name, func(t *testing.T) {
			crowd := newCrowd(t, Limits{TLS: Rate{PerSecond: 10000, Burst: 10000}})
			from := func(n int) netip.AddrPort { return netip.AddrPortFrom(addressOf(n), 33536) }
			crowd.greet(from(0), c.curves) // what comes once
			before := used()
			for n := range strangers {
				crowd.greet(from(n+1), c.curves)
			}
			each := (used() - before) / strangers
			if h := crowd.node.Census().HalfOpen; h != strangers+1 {
				t.Fatalf("%d half-open", h)
			}
			t.Logf("%d octets for each half-open responder", each)
			if each > c.most {
				t.Errorf("%d octets for each half-open responder, want at most %d", each, c.most)
			}
			for _, r := range crowd.node.runners {
				r.abandon()
			}
			crowd.tasks.run()
		})
	}
}
