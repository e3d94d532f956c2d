package daemon_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/control"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
)

// perAddress is how many requests each forged address sends, as one coalesced buffer.
const perAddress = 10

// flood sends establishment requests in the name of others.
type flood struct {
	t       *testing.T
	to      *site
	request []byte
	nonce   int // offset in it
	sent    uint64
	before  uint64 // cookies made before
}

func newFlood(t *testing.T, to *site) *flood {
	nonce, msb := [16]byte{0xA5, 0x5A, 0xA5, 0x5A, 0xC3, 0x3C}, uint8(1)
	h := underlay.Header{Form: underlay.FormPDCP, Destination: underlay.Broadcast, Source: 0xBADBAD, LCID: underlay.SRB0}
	f := &flood{t: t, to: to}
	f.request = pdcp.AppendUnprotected(h.AppendTo(nil), 0, pc5s.Marshal(&pc5s.DirectLinkEstablishmentRequest{
		SourceUserInfo: []byte(to.peer.name), TargetUserInfo: []byte(to.name), Nonce1: &nonce, KNRPSessMSB: &msb, Capabilities: pc5s.Capabilities{0x20, 0x20, 0x80},
		KeyEstablishmentInfo: (&kei.Offer{Methods: []kei.Method{kei.TLS13}}).AppendTo(nil), ProSeIdentifiers: pc5s.ServiceIdentifier("ip"),
	}))
	f.nonce = bytes.Index(f.request, nonce[:])
	f.before = f.cookies()
	return f
}

func (f *flood) cookies() uint64 { return f.status().Strangers.Cookies }

func (f *flood) status() control.Status {
	s, err := f.to.node.Status(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

// from sends the requests of so many addresses, no faster than they are answered: none is lost.
func (f *flood) from(addresses int) {
	f.t.Helper()
	batch := make([]byte, 0, perAddress*len(f.request))
	for range addresses {
		batch = batch[:0]
		for range perAddress {
			f.sent++
			binary.BigEndian.PutUint64(f.request[f.nonce:], f.sent)
			batch = append(batch, f.request...)
		}
		n := f.sent / perAddress
		address := netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
		f.to.conn.Inject(netip.AddrPortFrom(address, 4000), batch, len(f.request))
		if n%64 == 0 {
			f.answered(f.sent - 64*perAddress)
		}
	}
}

// answered waits until at least so many were answered.
func (f *flood) answered(n uint64) {
	f.t.Helper()
	for limit := time.Now().Add(10 * time.Second); f.cookies()-f.before < n; runtime.Gosched() {
		if time.Now().After(limit) {
			f.t.Fatalf("%d of %d requests were answered", f.cookies()-f.before, n)
		}
	}
}

// rest is the memory and the goroutines of a process in which nothing is under way.
func rest() (heap int64, goroutines int) {
	for range 100 {
		goroutines = runtime.NumGoroutine()
		time.Sleep(5 * time.Millisecond) // nothing tells of the end of a goroutine
		if runtime.NumGoroutine() == goroutines {
			break
		}
	}
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), goroutines
}

// connects makes a's link within three tries, sends a packet, and ends it again; it tells what went wrong.
func connects(a, b *site) string {
	for try := 1; ; try++ {
		state := a.up()
		if state == "established" {
			break
		}
		if try == 3 {
			return "the honest peer is " + state + " after three tries"
		}
	}
	defer both(a, b, (*site).down)
	if !a.reaches(5 * time.Second) {
		return "no packet of the honest peer gets through"
	}
	return ""
}

// TestT30_C8_SpoofedFlood: a million requests from a hundred thousand forged addresses are answered, and
// leave nothing: no memory, no goroutine, no machine. In between an honest peer gets its link.
func TestT30_C8_SpoofedFlood(t *testing.T) {
	addresses := 100_000
	if testing.Short() {
		addresses = 10_000
	}
	a, b := newSites(t, "", func(*link.Timers) {})
	if problem := connects(a, b); problem != "" {
		t.Fatal(problem)
	}
	f := newFlood(t, b)
	heap, goroutines := rest()
	for range 4 {
		problem := make(chan string, 1)
		go func() { problem <- connects(a, b) }()
		f.from(addresses / 4)
		if p := <-problem; p != "" {
			t.Error(p)
		}
	}
	f.answered(f.sent)
	heapAfter, goroutinesAfter := rest()
	t.Logf("%d requests: heap %+d octets, %d goroutines, then %d", f.sent, heapAfter-heap, goroutines, goroutinesAfter)
	if grown := heapAfter - heap; grown > 1<<20 {
		t.Errorf("the heap has grown by %d octets", grown)
	}
	if goroutinesAfter > goroutines {
		t.Errorf("%d goroutines, before %d", goroutinesAfter, goroutines)
	}
	if c := b.node.Census(); c.HalfOpen != 0 || c.Machines != 0 {
		t.Errorf("left: %+v", c)
	}
	if d := f.status().Drops; len(d) > 0 {
		t.Logf("drops: %v", d)
	}
}
