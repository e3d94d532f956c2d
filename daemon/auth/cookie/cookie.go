// Package cookie lets a responder stay without state until an address is proved: a cookie is a
// MAC over everything that the answer must bring back unchanged.
//
//	1 secret's number | 8 time of making (UTC ns) | 16 MAC
//
// MAC = HMAC-SHA-256(secret, number | time | address | port | source L2 ID | H(request))[0:16].
// A cookie lives 10 s, a secret is used for making for 60 s and for checking until the next but
// one. Two secrets are live. A Jar keeps nothing about its callers; it is not safe for
// concurrent use.
package cookie

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"time"
)

const (
	// Len is the length of a cookie.
	Len = 1 + 8 + macLen

	life     = 10 * time.Second
	rotation = 60 * time.Second
	macLen   = 16
	keyLen   = 32
)

// ErrInvalid says that a cookie is wrong, old or of an unknown secret.
var ErrInvalid = errors.New("cookie is wrong or old")

// Jar makes and checks cookies.
type Jar struct {
	rand    io.Reader
	number  byte // of the current secret
	made    time.Time
	secrets [2][keyLen]byte // current, previous
}

// New draws the first secrets. An error means that there is no randomness: start must fail.
func New(rand io.Reader, now time.Time) (*Jar, error) {
	j := &Jar{rand: rand, made: now}
	for i := range j.secrets {
		if _, err := io.ReadFull(rand, j.secrets[i][:]); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// Make returns a cookie for a caller. When no new secret can be drawn the old one goes on.
func (j *Jar) Make(now time.Time, from netip.AddrPort, layerTwo uint32, request [32]byte) []byte {
	j.rotate(now)
	c := make([]byte, 9, Len)
	c[0] = j.number
	binary.BigEndian.PutUint64(c[1:], uint64(now.UnixNano()))
	mac := j.mac(&j.secrets[0], c, from, layerTwo, request)
	return append(c, mac[:]...)
}

// Verify checks a cookie that a caller brought back.
func (j *Jar) Verify(now time.Time, c []byte, from netip.AddrPort, layerTwo uint32, request [32]byte) error {
	j.rotate(now)
	if len(c) != Len {
		return ErrInvalid
	}
	age := j.number - c[0]
	if age > 1 {
		return ErrInvalid
	}
	mac := j.mac(&j.secrets[age], c[:9], from, layerTwo, request)
	if !hmac.Equal(mac[:], c[9:]) {
		return ErrInvalid
	}
	made := time.Unix(0, int64(binary.BigEndian.Uint64(c[1:])))
	if passed := now.Sub(made); passed < 0 || passed > life {
		return ErrInvalid
	}
	return nil
}

func (j *Jar) rotate(now time.Time) {
	if passed := now.Sub(j.made); passed >= 0 && passed < rotation {
		return
	}
	var next [keyLen]byte
	if _, err := io.ReadFull(j.rand, next[:]); err != nil {
		return
	}
	j.secrets[1], j.secrets[0] = j.secrets[0], next
	j.number++
	j.made = now
}

func (j *Jar) mac(secret *[keyLen]byte, head []byte, from netip.AddrPort, layerTwo uint32, request [32]byte) [macLen]byte {
	h := hmac.New(sha256.New, secret[:])
	h.Write(head)
	address := from.Addr().As16()
	h.Write(address[:])
	var b [6]byte
	binary.BigEndian.PutUint16(b[:], from.Port())
	binary.BigEndian.PutUint32(b[2:], layerTwo)
	h.Write(b[:])
	h.Write(request[:])
	return [macLen]byte(h.Sum(nil))
}
