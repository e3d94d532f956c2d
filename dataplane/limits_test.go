package dataplane_test

import (
	"net/netip"
	"testing"

	"pc5d/dataplane"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/udp"
)

// told collects what an engine notifies; the tests drive their engines on one goroutine.
type told struct {
	stirred    []string
	exhausting []dataplane.ContextID
}

func newTold(t testing.TB, network *udp.Network) (a, b *end, toldA, toldB *told) {
	t.Helper()
	ends, tolds := [2]*end{}, [2]*told{{}, {}}
	for i := range ends {
		n := tolds[i]
		ends[i] = newEndWith(t, network, []netip.AddrPort{outerA, outerB}[i], func(c *dataplane.Config) {
			c.Stirred = func(link string) { n.stirred = append(n.stirred, link) }
			c.Exhausting = func(link string, id dataplane.ContextID) {
				if link != "x" {
					t.Errorf("notified for link %q", link)
				}
				n.exhausting = append(n.exhausting, id)
			}
		})
	}
	return ends[0], ends[1], tolds[0], tolds[1]
}

// T55: blocks end AES, COUNT ends ChaCha20, and where nothing is verified nothing can fail.
func TestT55DefaultLimits(t *testing.T) {
	const none = 1<<64 - 1
	for _, test := range []struct {
		id                   suite.ID
		mode                 suite.Mode
		soft, hard, failures uint64
	}{
		{suite.AES128GCM, suite.AEAD, 1 << 34, 1 << 35, 1 << 52},
		{suite.AES128GCM, suite.IntegrityOnly, 1 << 34, 1 << 35, 1 << 52},
		{suite.AES128GCM, suite.CipheringOnly, 1 << 34, 1 << 35, none},
		{suite.AES128GCM, suite.Unprotected, none, none, none},
		{suite.AES256GCM, suite.AEAD, 1 << 34, 1 << 35, 1 << 52},
		{suite.AES256GCM, suite.IntegrityOnly, 1 << 34, 1 << 35, 1 << 52},
		{suite.AES256GCM, suite.CipheringOnly, 1 << 34, 1 << 35, none},
		{suite.AES256GCM, suite.Unprotected, none, none, none},
		{suite.ChaCha20Poly1305, suite.AEAD, none, none, 1 << 36},
		{suite.ChaCha20Poly1305, suite.IntegrityOnly, none, none, 1 << 36},
		{suite.ChaCha20Poly1305, suite.CipheringOnly, none, none, none},
		{suite.ChaCha20Poly1305, suite.Unprotected, none, none, none},
	} {
		got := dataplane.LimitsOf(dataplane.Limits{}, test.id, test.mode)
		want := dataplane.Limits{
			SoftBlocks: test.soft, HardBlocks: test.hard, Failures: test.failures, Records: none, Octets: none,
			SoftCount: 1 << 47, HardCount: 1<<48 - 1<<16,
		}
		if got != want {
			t.Errorf("%s, %s: %+v, want %+v", test.id, test.mode, got, want)
		}
	}
	got := dataplane.LimitsOf(dataplane.Limits{HardBlocks: 5, HardCount: 6}, suite.AES128GCM, suite.AEAD)
	if got.SoftBlocks != 5 || got.SoftCount != 6 {
		t.Errorf("a hard limit comes without a warning: %+v", got)
	}
}

// T55: each soft limit notifies once, at the record that reaches it, with the sending and with the
// receiving key; traffic goes on.
func TestT55SoftLimitsNotify(t *testing.T) {
	const size, blocks = 1000, (record.Overhead+1024)/16 + 1 // a packet of 1000 fills 1024 octets
	tests := map[string]dataplane.Limits{
		"blocks":      {SoftBlocks: 9*blocks + 1},
		"COUNT":       {SoftCount: 10},
		"records":     {Records: 10},
		"octets":      {Octets: 9*size + 1},
		"hard COUNT":  {HardCount: 10},
		"hard blocks": {HardBlocks: 10 * blocks},
	}
	for name, limits := range tests {
		for _, side := range []string{"sending", "receiving"} {
			t.Run(name+"/"+side, func(t *testing.T) {
				a, b, toldA, toldB := newTold(t, udp.NewNetwork())
				ca, cb, n := contextOf(session, true), contextOf(session, false), toldA
				if side == "sending" {
					ca.Limits = limits
				} else {
					cb.Limits, n = limits, toldB
				}
				install(t, a.link, ca)
				install(t, b.link, cb)
				for i := range 30 {
					a.tun.Deliver(packet(addrA, addrB, size, 1))
					a.engine.Turn(a.link.Key())
					if a.link.Counters().Sent.Records > uint64(i) {
						if err := b.engine.Poll(); err != nil {
							t.Fatal(err)
						}
					}
					if i < 9 && len(n.exhausting) != 0 || i >= 9 && len(n.exhausting) != 1 {
						t.Fatalf("notified %d times after %d records", len(n.exhausting), i+1)
					}
				}
				if len(toldA.exhausting)+len(toldB.exhausting) != 1 {
					t.Fatalf("the other end was notified: %v, %v", toldA.exhausting, toldB.exhausting)
				}
				if want := map[bool]dataplane.ContextID{true: ca.ID, false: cb.ID}[side == "sending"]; n.exhausting[0] != want {
					t.Fatalf("notified for %s, want %s", n.exhausting[0], want)
				}
			})
		}
	}
}

// T55: forged records can only cause a rekey.
func TestT55FailedOpensNotify(t *testing.T) {
	_, b, _, n := newTold(t, udp.NewNetwork())
	c := contextOf(session, false)
	c.Limits.Failures = 10
	install(t, b.link, c)
	forged := sealed(t, 0, record.AppendPacket(nil, packet(addrA, addrB, 100, 1)))
	good := append([]byte(nil), forged...)
	forged[len(forged)-1] ^= 1
	for i := range 20 {
		b.conn.Inject(outerA, forged, len(forged))
		if err := b.engine.Poll(); err != nil {
			t.Fatal(err)
		}
		if want := min(1, (i+1)/10); len(n.exhausting) != want {
			t.Fatalf("notified %d times after %d failures, want %d", len(n.exhausting), i+1, want)
		}
	}
	b.conn.Inject(outerA, good, len(good))
	if err := b.engine.Poll(); err != nil {
		t.Fatal(err)
	}
	want(t, b, packet(addrA, addrB, 100, 1))
}

// Each Arm makes one notification, at the next record that leaves; a packet that does not leave
// and a record that only arrives make none.
func TestArmNotifiesOnce(t *testing.T) {
	a, b, n, toldB := newTold(t, udp.NewNetwork())
	send := func(want int) {
		t.Helper()
		for range 50 {
			a.tun.Deliver(packet(addrA, addrB, 1400, 1))
		}
		a.engine.Turn(a.link.Key())
		a.engine.Turn(a.link.Key())
		if len(n.stirred) != want {
			t.Fatalf("notified %d times, want %d", len(n.stirred), want)
		}
	}
	a.link.Arm()
	send(0) // down
	install(t, a.link, contextOf(session, true))
	install(t, b.link, contextOf(session, false))
	b.link.Arm()
	send(1)
	send(1)
	a.link.Arm()
	a.link.Arm()
	send(2)
	if n.stirred[0] != "x" {
		t.Fatalf("notified for %q", n.stirred[0])
	}
	if err := b.engine.Poll(); err != nil {
		t.Fatal(err)
	}
	if b.link.Authentic() == 0 || len(toldB.stirred) != 0 {
		t.Fatalf("%d records received, notified %d times at the receiver", b.link.Authentic(), len(toldB.stirred))
	}
	limit := contextOf(session+1, true)
	limit.Limits.HardCount = 1
	install(t, a.link, limit)
	send(2)
	a.link.Arm()
	send(2) // the key has no COUNT left
}

// Authentic counts what opened, once: neither forged nor replayed records.
func TestAuthenticCountsAuthenticOnly(t *testing.T) {
	_, b, _ := newPair(t)
	good := sealed(t, 7, record.AppendPacket(nil, packet(addrA, addrB, 100, 1)))
	forged := append([]byte(nil), good...)
	forged[15]++ // COUNT
	for _, d := range [][]byte{good, good, forged, sealed(t, 9, []byte{1})} {
		b.conn.Inject(outerA, d, len(d))
		if err := b.engine.Poll(); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.link.Authentic(); got != 2 || got != b.link.Counters().Received.Records {
		t.Fatalf("%d authentic records, want 2", got)
	}
}
