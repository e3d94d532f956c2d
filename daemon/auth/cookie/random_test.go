package cookie_test

import (
	"bytes"
	"testing"
	"time"

	"pc5d/daemon/auth/cookie"
)

// TestT78_RandomSourceFails: without all octets of both first secrets there is no jar, so that
// nothing starts; an unused secret is never one that was not drawn.
func TestT78_RandomSourceFails(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := range 64 {
		if jar, err := cookie.New(bytes.NewReader(make([]byte, n)), now); err == nil || jar != nil {
			t.Errorf("%d octets make a jar", n)
		}
	}
	one, err := cookie.New(bytes.NewReader(bytes.Repeat([]byte{1}, 64)), now)
	if err != nil {
		t.Fatal(err)
	}
	other, err := cookie.New(bytes.NewReader(bytes.Repeat([]byte{2}, 64)), now)
	if err != nil {
		t.Fatal(err)
	}
	c := bake(t, one, now, caller)
	if one.Verify(now, c, caller) != nil {
		t.Error("the own cookie is refused")
	}
	if other.Verify(now, c, caller) == nil {
		t.Error("a cookie of another secret is accepted")
	}
}
