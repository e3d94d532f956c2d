// Package cookie lets a responder stay without state until an address is proved: a cookie is a
// MAC over everything that the answer must bring back unchanged.
//
//	1 secret's number | 8 time of making (UTC ns) | 16 MAC
//
// MAC = HMAC-SHA-256(secret, number | time | address | port | source L2 ID | H(request))[0:16].
// A cookie lives 10 s, a secret is used for making for 60 s and for checking until the next but
// one. Two secrets are live. Without a new secret in time no cookie is made. A Jar keeps nothing
// about its callers and allocates nothing for them; it is not safe for concurrent use.
package cookie

import (
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"time"

	"pc5d/daemon/auth/mac"
)

const (
	// Len is the length of a cookie.
	Len = headLen + macLen
	// Life is how long a cookie is good for.
	Life = 10 * time.Second

	rotation = 60 * time.Second
	redraw   = time.Second // between attempts to draw a secret, which may block others
	headLen  = 1 + 8
	macLen   = 16
	keyLen   = 32
	boundLen = 16 + 2 + 4 // address, port, L2 ID
)

var (
	// ErrInvalid says that a cookie is wrong, old or of an unknown secret.
	ErrInvalid = errors.New("cookie is wrong or old")
	// ErrNoSecret says that no cookie can be made: the secret is too old and there is no other.
	ErrNoSecret = errors.New("local: no random octets for a new cookie secret")
)

// Caller is what a cookie is bound to.
type Caller struct {
	From     netip.AddrPort
	LayerTwo uint32   // source
	Request  [32]byte // SHA-256 of the establishment request
}

// Jar makes and checks cookies.
type Jar struct {
	rand    io.Reader
	number  byte // of the current secret
	made    time.Time
	again   time.Time       // not before: the next attempt to draw a secret; zero: none has failed
	secrets [2][keyLen]byte // current, previous
	mac     *mac.HMAC
	bound   [boundLen]byte // scratch
	request [32]byte       // scratch
}

// New draws the first secrets. An error means that there is no randomness: start must fail.
func New(rand io.Reader, now time.Time) (*Jar, error) {
	j := &Jar{rand: rand, made: now, mac: mac.New()}
	for i := range j.secrets {
		if _, err := io.ReadFull(rand, j.secrets[i][:]); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// AppendTo appends a cookie for a caller, or tells ErrNoSecret: a secret of any age would make the
// cookies of a stolen one good for ever, so without a new one no stranger is served (T31).
func (j *Jar) AppendTo(b []byte, now time.Time, c Caller) ([]byte, error) {
	if !j.rotate(now) {
		return b, ErrNoSecret
	}
	start := len(b)
	b = append(b, j.number)
	b = binary.BigEndian.AppendUint64(b, uint64(now.UnixNano()))
	sum := j.sum(0, b[start:], c)
	return append(b, sum[:macLen]...), nil
}

// Verify checks a cookie that a caller brought back.
func (j *Jar) Verify(now time.Time, cookie []byte, c Caller) error {
	if len(cookie) != Len {
		return ErrInvalid
	}
	age := j.number - cookie[0]
	if age > 1 {
		return ErrInvalid
	}
	sum := j.sum(int(age), cookie[:headLen], c)
	if !hmac.Equal(sum[:macLen], cookie[headLen:]) {
		return ErrInvalid
	}
	made := time.Unix(0, int64(binary.BigEndian.Uint64(cookie[1:])))
	if passed := now.Sub(made); passed < 0 || passed > Life {
		return ErrInvalid
	}
	return nil
}

// rotate draws a new secret when it is time; false: the present one must not make cookies.
func (j *Jar) rotate(now time.Time) bool {
	if passed := now.Sub(j.made); passed >= 0 && passed < rotation {
		return true
	}
	if now.Before(j.again) {
		return false
	}
	var next [keyLen]byte
	if _, err := io.ReadFull(j.rand, next[:]); err != nil {
		j.again = now.Add(redraw)
		return false
	}
	j.secrets[1], j.secrets[0] = j.secrets[0], next
	j.number++
	j.made, j.again = now, time.Time{}
	return true
}

func (j *Jar) sum(secret int, head []byte, c Caller) [mac.Len]byte {
	address := c.From.Addr().As16()
	copy(j.bound[:], address[:])
	binary.BigEndian.PutUint16(j.bound[16:], c.From.Port())
	binary.BigEndian.PutUint32(j.bound[18:], c.LayerTwo)
	j.request = c.Request
	j.mac.Begin(j.secrets[secret][:])
	j.mac.Write(head)
	j.mac.Write(j.bound[:])
	j.mac.Write(j.request[:])
	return j.mac.Sum()
}
