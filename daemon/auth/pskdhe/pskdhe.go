// Package pskdhe is the method psk-dhe of Direct Authentication and Key Establishment
// (Extension): a pre-shared key, here the resumption key of a link, with a fresh X25519.
//
//	A  e1 ----------------------> B   in the request, with a binder over the request
//	A  <---------------------- e2 B   in the security mode command
//	K_NRP = HKDF-SHA-256(salt = PSK, ikm = X25519(e1, e2), info = "pc5d/1 psk-dhe" || ctx || e1 || e2)
//
// Whoever learns the PSK later still needs one of the two private keys, which do not outlive
// the exchange. Keys are confirmed by the MACs of security mode command and complete. The
// package keeps nothing and does no I/O; an Exchange is not safe for concurrent use.
package pskdhe

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/policy"
)

const (
	labelKNRP   = "pc5d/1 psk-dhe"
	labelBinder = "pc5d/1 binder"
	labelTag    = "pc5d/1 tag"
	knrpLen     = 32

	labelFingerprint = "pc5d/1 fingerprint"
)

// ErrShare says that a share is no public key, or one that makes the result all zero (T18).
var ErrShare = errors.New("psk-dhe: X25519 share is malformed or of low order")

// Exchange is one end's half of an exchange.
type Exchange struct{ private *ecdh.PrivateKey }

// New draws a private key.
func New() (*Exchange, error) {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("psk-dhe: local random source: %w", err)
	}
	return &Exchange{private}, nil
}

// Share is what the other end gets.
func (x *Exchange) Share() [kei.ShareLen]byte {
	return [kei.ShareLen]byte(x.private.PublicKey().Bytes())
}

// KNRP makes K_NRP of an exchange in which A's share is e1 and B's is e2; peer is the one of the
// two that is the other end's. ctx binds names, L2 IDs and request.
func (x *Exchange) KNRP(psk keys.Secret, peer [kei.ShareLen]byte, ctx []byte, e1, e2 [kei.ShareLen]byte) (keys.KNRP, error) {
	public, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return keys.KNRP{}, ErrShare
	}
	dh, err := x.private.ECDH(public)
	if err != nil {
		return keys.KNRP{}, ErrShare
	}
	defer clear(dh)
	info := append([]byte(labelKNRP), ctx...)
	info = append(info, e1[:]...)
	info = append(info, e2[:]...)
	out, err := hkdf.Key(sha256.New, dh, psk.Bytes(), string(info), knrpLen)
	if err != nil {
		return keys.KNRP{}, fmt.Errorf("psk-dhe: %w", err)
	}
	return keys.KNRP{Secret: keys.NewSecret(out)}, nil
}

// Binder proves the PSK for a request whose proofs are blank. A is its sender, B its receiver.
func Binder(psk keys.Secret, a, b string, blank []byte) ([kei.ProofLen]byte, error) {
	key, err := hkdf.Expand(sha256.New, psk.Bytes(), labelBinder+prefixed(a)+prefixed(b), sha256.Size)
	if err != nil {
		return [kei.ProofLen]byte{}, fmt.Errorf("psk-dhe: %w", err)
	}
	defer clear(key)
	h := hmac.New(sha256.New, key)
	h.Write(blank)
	return [kei.ProofLen]byte(h.Sum(nil)), nil
}

// Tag names the PSK to whoever has it, for one request: it follows from the request's Nonce_1.
func Tag(psk keys.Secret, nonce1 keys.Nonce) ([kei.TagLen]byte, error) {
	key, err := hkdf.Expand(sha256.New, psk.Bytes(), labelTag, sha256.Size)
	if err != nil {
		return [kei.TagLen]byte{}, fmt.Errorf("psk-dhe: %w", err)
	}
	defer clear(key)
	h := hmac.New(sha256.New, key)
	h.Write(nonce1[:])
	return [kei.TagLen]byte(h.Sum(nil)), nil
}

// Fingerprint names a pre-shared key for people, and stands for it where another link has the pin of
// its peer: both ends have the same, and no public key has it.
func Fingerprint(psk keys.Secret) (policy.Fingerprint, error) {
	b, err := hkdf.Expand(sha256.New, psk.Bytes(), labelFingerprint, sha256.Size)
	if err != nil {
		return policy.Fingerprint{}, fmt.Errorf("psk-dhe: %w", err)
	}
	return policy.Fingerprint(b), nil
}

func prefixed(s string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(len(s)))) + s
}
