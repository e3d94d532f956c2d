package pskdhe

import (
	"encoding/binary"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/auth/mac"
	"pc5d/daemon/keys"
)

// Prover computes tags and binders of strangers' requests, one after the other, in the same memory
// (T30). It may be used by one goroutine only.
type Prover struct {
	mac  *mac.HMAC
	key  [mac.Len]byte
	info []byte
}

// NewProver makes one.
func NewProver() *Prover { return &Prover{mac: mac.New(), info: make([]byte, 0, 1024)} }

// Tag is the package's Tag.
func (p *Prover) Tag(psk keys.Secret, nonce1 []byte) [kei.TagLen]byte {
	p.info = append(p.info[:0], labelTag...)
	sum := p.under(psk, nonce1)
	return [kei.TagLen]byte(sum[:])
}

// Binder is the package's Binder.
func (p *Prover) Binder(psk keys.Secret, a, b string, blank []byte) [kei.ProofLen]byte {
	p.info = append(p.info[:0], labelBinder...)
	p.info = append(binary.BigEndian.AppendUint16(p.info, uint16(len(a))), a...)
	p.info = append(binary.BigEndian.AppendUint16(p.info, uint16(len(b))), b...)
	sum := p.under(psk, blank)
	return [kei.ProofLen]byte(sum[:])
}

// under is the HMAC of text under HKDF-Expand(psk, info, 32), which is one block of RFC 5869, 2.3.
func (p *Prover) under(psk keys.Secret, text []byte) [mac.Len]byte {
	p.info = append(p.info, 1)
	p.mac.Begin(psk.Bytes())
	p.mac.Write(p.info)
	p.key = p.mac.Sum()
	defer clear(p.key[:])
	p.mac.Begin(p.key[:])
	p.mac.Write(text)
	return p.mac.Sum()
}
