package suite

import (
	"crypto/cipher"
	"slices"
)

// both is an AEAD as it is meant to be used.
type both struct{ aead cipher.AEAD }

func (b *both) seal(it *Item) { it.Dst = b.aead.Seal(it.Dst, it.nonce[:], it.Text, it.AAD) }

func (b *both) open(it *Item) bool {
	opened, err := b.aead.Open(it.Dst, it.nonce[:], it.Text, it.AAD)
	it.Dst = it.Dst[:len(opened)]
	return err == nil
}

func (b *both) wipe() {
	if w, ok := b.aead.(interface{ Wipe() }); ok {
		w.Wipe()
	}
	b.aead = nil
}

// tagged is an AEAD over an empty plaintext: GMAC, or Poly1305 under the key stream's first block.
// AAD is AAD and text.
type tagged struct{ aead cipher.AEAD }

func (t *tagged) seal(it *Item) {
	it.Dst = append(it.Dst, it.Text...)
	it.Dst = t.aead.Seal(it.Dst, it.nonce[:], nil, joined(it.AAD, it.Dst))
}

func (t *tagged) open(it *Item) bool {
	n := len(it.Text) - TagLen
	if _, err := t.aead.Open(nil, it.nonce[:], it.Text[n:], joined(it.AAD, it.Text[:n])); err != nil {
		return false
	}
	it.Dst = append(it.Dst, it.Text[:n]...)
	return true
}

func (t *tagged) wipe() { t.aead = nil }

// joined is aad and text in one piece: the memory that they are in where text follows aad there.
func joined(aad, text []byte) []byte {
	n := len(aad)
	if len(text) == 0 {
		return aad
	}
	if cap(aad) >= n+len(text) && &aad[:n+1][n] == &text[0] {
		return aad[:n+len(text)]
	}
	return slices.Concat(aad, text)
}
