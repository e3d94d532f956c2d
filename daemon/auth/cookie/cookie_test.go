package cookie_test

import (
	"crypto/rand"
	"net/netip"
	"testing"
	"time"

	"pc5d/daemon/auth/cookie"
)

// TestT31_Fields changes each thing that a cookie is bound to, and passes both rotations.
func TestT31_Fields(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	jar, err := cookie.New(rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	from, other := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:1")
	c := jar.Make(now, from, 7, [32]byte{1})
	check := func(name string, want bool, at time.Time, from netip.AddrPort, id uint32, h [32]byte, c []byte) {
		t.Helper()
		if got := jar.Verify(at, c, from, id, h) == nil; got != want {
			t.Errorf("%s: accepted %v, want %v", name, got, want)
		}
	}
	check("as made", true, now, from, 7, [32]byte{1}, c)
	check("other address", false, now, other, 7, [32]byte{1}, c)
	check("other port", false, now, netip.AddrPortFrom(from.Addr(), 2), 7, [32]byte{1}, c)
	check("other L2 ID", false, now, from, 8, [32]byte{1}, c)
	check("other request", false, now, from, 7, [32]byte{2}, c)
	check("cut", false, now, from, 7, [32]byte{1}, c[:cookie.Len-1])
	for i := range c {
		d := append([]byte(nil), c...)
		d[i] ^= 1
		check("flipped", false, now, from, 7, [32]byte{1}, d)
	}
	check("before it was made", false, now.Add(-time.Second), from, 7, [32]byte{1}, c)
	check("at the end of its life", true, now.Add(10*time.Second), from, 7, [32]byte{1}, c)
	check("after it", false, now.Add(10*time.Second+1), from, 7, [32]byte{1}, c)
	late := now.Add(59 * time.Second)
	c = jar.Make(late, from, 7, [32]byte{1})
	check("over one rotation", true, late.Add(5*time.Second), from, 7, [32]byte{1}, c)
	check("over two rotations", false, late.Add(120*time.Second), from, 7, [32]byte{1}, c)
}
