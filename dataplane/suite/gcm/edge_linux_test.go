package gcm

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
)

// edged is n octets that end (or begin) where a page begins (ends) that must not be touched.
func edged(t *testing.T, n int, atEnd bool) []byte {
	t.Helper()
	page := unix.Getpagesize()
	all, err := unix.Mmap(-1, 0, 3*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Skip("no memory of our own:", err)
	}
	t.Cleanup(func() { unix.Munmap(all) })
	for _, outside := range [][]byte{all[:page], all[2*page:]} {
		if err := unix.Mprotect(outside, unix.PROT_NONE); err != nil {
			t.Skip("cannot protect a page:", err)
		}
	}
	if atEnd {
		return all[2*page-n : 2*page : 2*page]
	}
	return all[page : page+n : page+n]
}

// TestTouchesNothingBeyond: neither reads nor writes leave the slices; one that did would end the test.
func TestTouchesNothingBeyond(t *testing.T) {
	for _, atEnd := range []bool{true, false} {
		nonce, aad := edged(t, nonceLen, atEnd), edged(t, tagLen, atEnd)
		for n := step; n <= maxLen; n += step {
			a, standard := newPair(t, make([]byte, 16))
			text, sealed, opened := edged(t, n, atEnd), edged(t, n+tagLen, atEnd), edged(t, n, atEnd)
			copy(text, random(uint64(n))(n))
			if got := a.Seal(sealed[:0], nonce, text, aad); !bytes.Equal(got, standard.Seal(nil, nonce, text, aad)) {
				t.Fatalf("%d octets: sealed %x", n, got)
			}
			if got, err := a.Open(opened[:0], nonce, sealed, aad); err != nil || !bytes.Equal(got, text) {
				t.Fatalf("%d octets: opened %x, %v", n, got, err)
			}
		}
	}
}
