package cookie_test

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"
	"time"

	"pc5d/daemon/auth/cookie"
)

var (
	epoch  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	caller = cookie.Caller{From: netip.MustParseAddrPort("192.0.2.1:1"), LayerTwo: 7, Request: [32]byte{1}}
)

func newJar(t testing.TB) *cookie.Jar {
	t.Helper()
	jar, err := cookie.New(rand.Reader, epoch)
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

func bake(t testing.TB, jar *cookie.Jar, now time.Time, c cookie.Caller) []byte {
	t.Helper()
	b, err := jar.AppendTo(nil, now, c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestT31_Fields changes each thing that a cookie is bound to, and each of its bits.
func TestT31_Fields(t *testing.T) {
	jar := newJar(t)
	c := bake(t, jar, epoch, caller)
	check := func(name string, want bool, at time.Time, change func(*cookie.Caller), c []byte) {
		t.Helper()
		by := caller
		change(&by)
		if got := jar.Verify(at, c, by) == nil; got != want {
			t.Errorf("%s: accepted %v, want %v", name, got, want)
		}
	}
	same := func(*cookie.Caller) {}
	check("as made", true, epoch, same, c)
	check("other address", false, epoch, func(c *cookie.Caller) { c.From = netip.MustParseAddrPort("192.0.2.2:1") }, c)
	check("other port", false, epoch, func(c *cookie.Caller) { c.From = netip.MustParseAddrPort("192.0.2.1:2") }, c)
	check("other L2 ID", false, epoch, func(c *cookie.Caller) { c.LayerTwo++ }, c)
	for bit := range 256 {
		check("other request", false, epoch, func(c *cookie.Caller) { c.Request[bit/8] ^= 1 << (bit % 8) }, c)
	}
	for n := range cookie.Len {
		check("cut", false, epoch, same, c[:n])
	}
	check("longer", false, epoch, same, append(bytes.Clone(c), 0))
	for bit := range 8 * cookie.Len {
		d := bytes.Clone(c)
		d[bit/8] ^= 1 << (bit % 8)
		check("flipped", false, epoch, same, d)
	}
	check("before it was made", false, epoch.Add(-1), same, c)
	check("at the end of its life", true, epoch.Add(cookie.Life), same, c)
	check("after it", false, epoch.Add(cookie.Life+1), same, c)
}

// TestT31_Rotations: a cookie is good over one rotation for all its life, and no cookie is over two;
// a secret makes cookies until the very end of its time and not longer.
func TestT31_Rotations(t *testing.T) {
	jar := newJar(t)
	const rotation = 60 * time.Second
	last := epoch.Add(rotation - 1)
	old := bake(t, jar, last, caller)
	if first := bake(t, jar, epoch.Add(rotation-2), caller); first[0] != old[0] {
		t.Error("a secret ends before its time")
	}
	next := bake(t, jar, epoch.Add(rotation), caller)
	if next[0] != old[0]+1 {
		t.Errorf("secret %d after %d", next[0], old[0])
	}
	for _, at := range []time.Duration{1, cookie.Life} {
		if jar.Verify(last.Add(at), old, caller) != nil || jar.Verify(epoch.Add(rotation+at-1), next, caller) != nil {
			t.Errorf("%v after the first rotation a cookie is refused", at)
		}
	}
	if jar.Verify(last.Add(cookie.Life+1), old, caller) == nil {
		t.Error("a cookie outlives its life over a rotation")
	}
	bake(t, jar, epoch.Add(2*rotation), caller)
	if jar.Verify(last.Add(1), old, caller) == nil {
		t.Error("a secret outlives two rotations")
	}
	if jar.Verify(epoch.Add(rotation), next, caller) != nil {
		t.Error("the previous secret is not checked any more")
	}
}

// TestT31_T78_NoNewSecret: when the random source fails at a rotation, no cookie is made under the
// old secret; those under way are good up to their life; and it goes on when the source is back.
func TestT31_T78_NoNewSecret(t *testing.T) {
	source := &faulty{}
	jar, err := cookie.New(source, epoch)
	if err != nil {
		t.Fatal(err)
	}
	last := epoch.Add(59 * time.Second)
	c := bake(t, jar, last, caller)
	source.broken, source.asked = true, 0
	for at := time.Minute; at < time.Hour; at += 100 * time.Millisecond {
		if b, err := jar.AppendTo([]byte{9}, epoch.Add(at), caller); !errors.Is(err, cookie.ErrNoSecret) || len(b) != 1 {
			t.Fatalf("after %v: %x, %v", at, b, err)
		}
		if ok := jar.Verify(epoch.Add(at), c, caller) == nil; ok != (at <= 59*time.Second+cookie.Life) {
			t.Fatalf("after %v: an old cookie is accepted: %v", at, ok)
		}
	}
	if source.asked > 3600 {
		t.Errorf("the source was asked %d times in an hour", source.asked)
	}
	source.broken = false
	if c := bake(t, jar, epoch.Add(time.Hour+time.Second), caller); jar.Verify(epoch.Add(time.Hour+time.Second), c, caller) != nil {
		t.Error("it does not recover")
	}
}

// faulty is a random source that can break.
type faulty struct {
	broken bool
	asked  int
}

func (f *faulty) Read(b []byte) (int, error) {
	f.asked++
	if f.broken {
		return 0, errors.New("broken")
	}
	return rand.Read(b)
}

// TestT30_CookieAllocatesNothing: neither making nor checking one.
func TestT30_CookieAllocatesNothing(t *testing.T) {
	jar, room := newJar(t), make([]byte, 0, cookie.Len)
	c := bake(t, jar, epoch, caller)
	if n := testing.AllocsPerRun(100, func() {
		jar.AppendTo(room, epoch, caller)
		jar.Verify(epoch, c, caller)
		jar.Verify(epoch, c[:3], caller)
		jar.Verify(epoch.Add(time.Hour), c, caller)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzCookie: whatever is accepted is what the jar made at that time for that caller.
func FuzzCookie(f *testing.F) {
	secrets := append(bytes.Repeat([]byte{3}, 32), bytes.Repeat([]byte{4}, 32)...)
	jar, err := cookie.New(bytes.NewReader(secrets), epoch)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bake(f, jar, epoch, caller), int64(0), caller.From.Addr().AsSlice(), caller.From.Port(), caller.LayerTwo, caller.Request[:])
	f.Fuzz(func(t *testing.T, c []byte, age int64, address []byte, port uint16, layerTwo uint32, request []byte) {
		from, _ := netip.AddrFromSlice(address)
		by := cookie.Caller{From: netip.AddrPortFrom(from, port), LayerTwo: layerTwo}
		copy(by.Request[:], request)
		if jar.Verify(epoch.Add(time.Duration(age)), c, by) != nil {
			return
		}
		made := time.Unix(0, int64(binary.BigEndian.Uint64(c[1:])))
		again, err := cookie.New(bytes.NewReader(secrets), made)
		if err != nil {
			t.Fatal(err)
		}
		if want := bake(t, again, made, by); !bytes.Equal(c, want) {
			t.Fatalf("%x is accepted, made was %x", c, want)
		}
	})
}
