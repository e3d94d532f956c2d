package kept

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"pc5d/daemon/keys"
)

// The parts of the file.
const (
	magic         = "pc5dkept"
	version       = 1
	labelFile     = "pc5d/1 key cache"
	saltLength    = 16
	nonceLength   = 12
	tagLength     = 16
	saltAt        = len(magic) + 1
	nonceAt       = saltAt + saltLength
	headerLength  = nonceAt + nonceLength
	timeLength    = 8 + 4
	preamble      = timeLength + 2
	fixedLength   = 4 + 1 + 1 + 32 + keyLength + 3*timeLength + 8 // of an entry without its names
	minSecret     = 16
	maxEntries    = 4096
	maxFileLength = headerLength + preamble + maxEntries*(fixedLength+2*maxName) + tagLength
)

// errShort and the others say what a file is instead of a cache.
var (
	errShort   = errors.New("is cut short")
	errLong    = errors.New("is longer than any key cache")
	errForeign = errors.New("is no key cache")
	errSealed  = errors.New("was altered, or made with another secret")
)

// sealer encrypts files under one salt.
type sealer struct {
	salt [saltLength]byte
	key  keys.Secret
}

// newSealer makes a sealer with a new salt. It keeps nothing of the secret but the derived key.
func newSealer(secret keys.Secret) sealer {
	var s sealer
	rand.Read(s.salt[:])
	s.key = fileKey(secret, s.salt[:])
	return s
}

// fileKey is the key of a file with a salt.
func fileKey(secret keys.Secret, salt []byte) keys.Secret {
	key, err := hkdf.Key(sha256.New, secret.Bytes(), salt, labelFile, 32)
	if err != nil { // only a length over 255 blocks fails
		panic("BUG: kept: " + err.Error())
	}
	return keys.NewSecret(key)
}

func aead(key keys.Secret) cipher.AEAD {
	block, err := aes.NewCipher(key.Bytes())
	if err != nil {
		panic("BUG: kept: " + err.Error())
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic("BUG: kept: " + err.Error())
	}
	return gcm
}

// seal makes a file of a body.
func (s sealer) seal(body []byte) []byte {
	file := make([]byte, headerLength, headerLength+len(body)+tagLength)
	copy(file, magic)
	file[len(magic)] = version
	copy(file[saltAt:], s.salt[:])
	rand.Read(file[nonceAt:headerLength])
	return aead(s.key).Seal(file, file[nonceAt:headerLength], body, file[:headerLength])
}

// unseal returns the body of a file; it is the caller's to wipe.
func unseal(secret keys.Secret, file []byte) ([]byte, error) {
	switch {
	case len(file) > maxFileLength:
		return nil, errLong
	case len(file) < len(magic) || string(file[:len(magic)]) != magic:
		return nil, errForeign
	case len(file) < headerLength+tagLength:
		return nil, errShort
	case file[len(magic)] != version:
		return nil, fmt.Errorf("has version %d, not %d", file[len(magic)], version)
	}
	key := fileKey(secret, file[saltAt:nonceAt])
	defer key.Wipe()
	body, err := aead(key).Open(nil, file[nonceAt:headerLength], file[headerLength:], file[:headerLength])
	if err != nil {
		return nil, errSealed
	}
	return body, nil
}

// encode makes a body; it is the caller's to wipe, and no other copy of it was made.
func encode(seen time.Time, entries []*Entry) []byte {
	length := preamble
	for _, e := range entries {
		length += fixedLength + len(e.Peer) + len(e.Service)
	}
	b := appendTime(make([]byte, 0, length), seen)
	b = binary.BigEndian.AppendUint16(b, uint16(len(entries)))
	for _, e := range entries {
		b = binary.BigEndian.AppendUint32(b, uint32(e.ID))
		b = append(append(b, byte(len(e.Peer))), e.Peer...)
		b = append(append(b, byte(len(e.Service))), e.Service...)
		b = append(append(b, e.Fingerprint[:]...), e.Key.Bytes()...)
		b = appendTime(appendTime(appendTime(b, e.Made), e.Authenticated), e.CertificateEnd)
		b = binary.BigEndian.AppendUint64(b, e.Newest)
	}
	if len(b) != length {
		panic("BUG: kept: a body outgrew its length")
	}
	return b
}

func appendTime(b []byte, t time.Time) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(t.Unix()))
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

// decode reads a body whole or not at all; it keeps nothing of it.
func decode(body []byte) (seen time.Time, entries []*Entry, err error) {
	r := reader{rest: body}
	defer func() {
		if err != nil {
			wipe(entries)
			seen, entries = time.Time{}, nil
		}
	}()
	seen = r.time()
	count := int(r.number(2))
	switch {
	case r.short:
		return seen, nil, errShort
	case !plain(seen):
		return seen, nil, errors.New("has a time outside the years 1 to 9999")
	case count > maxEntries:
		return seen, nil, fmt.Errorf("has %d entries", count)
	}
	ids := map[keys.KNRPID]bool{}
	for range count {
		e := r.entry()
		entries = append(entries, e)
		if r.short {
			return seen, entries, errShort
		}
		if err := e.check(); err != nil {
			return seen, entries, fmt.Errorf("has an entry with %w", err)
		}
		if n := len(entries); n > 1 && entries[n-2].compare(e) >= 0 || ids[e.ID] {
			return seen, entries, errors.New("has entries twice or out of order")
		}
		ids[e.ID] = true
	}
	if len(r.rest) > 0 {
		return seen, entries, errors.New("goes on after its last entry")
	}
	return seen, entries, nil
}

// wipe ends entries that leave the memory.
func wipe(entries []*Entry) {
	for _, e := range entries {
		e.Key.Wipe()
	}
}

// reader takes values off octets; once they were too few it only says so.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) octets(n int) []byte {
	if r.short || len(r.rest) < n {
		r.short = true
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// number reads n octets as one number.
func (r *reader) number(n int) uint64 {
	var v uint64
	for _, b := range r.octets(n) {
		v = v<<8 | uint64(b)
	}
	return v
}

// time reads a time; one that has another spelling is none of the years that are checked for.
func (r *reader) time() time.Time {
	seconds, nanoseconds := int64(r.number(8)), r.number(4)
	if nanoseconds >= uint64(time.Second) {
		seconds = -1 << 62
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC()
}

func (r *reader) text() string { return string(r.octets(int(r.number(1)))) }

func (r *reader) entry() *Entry {
	e := &Entry{ID: keys.KNRPID(r.number(4)), Peer: r.text(), Service: r.text()}
	copy(e.Fingerprint[:], r.octets(len(e.Fingerprint)))
	e.Key = keys.ResumptionKey{Secret: keys.NewSecret(bytes.Clone(r.octets(keyLength)))}
	e.Made, e.Authenticated, e.CertificateEnd = r.time(), r.time(), r.time()
	e.Newest = r.number(8)
	return e
}
