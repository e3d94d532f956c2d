package kept

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"pc5d/daemon/keys"
	"pc5d/policy"
)

// Bounds of an entry in octets; those of the names are their length in the file.
const (
	maxName   = 255
	keyLength = 32
)

// tolerance is how far ahead of the clock an entry may be: clocks are corrected by small steps.
const tolerance = time.Minute

// Entry is one kept key.
//
// Key of an entry that the Store returns is a copy of its own, which nobody wipes under its reader:
// a key that became zero between the look-up and the check of a binder would admit anyone who
// computes a binder with the zero key. The reader may wipe it when it is done, and need not.
type Entry struct {
	ID             keys.KNRPID
	Peer, Service  string
	Fingerprint    policy.Fingerprint // the peer's SPKI hash at the last full authentication
	Key            keys.ResumptionKey
	Made           time.Time // wall clock
	Authenticated  time.Time // last FULL authentication: resuming never renews it
	CertificateEnd time.Time // zero: none
	Newest         uint64    // responder: newest timestamp accepted under this key (UTC ns)
}

// check says what is wrong with an entry that nobody should use, whoever made it.
func (e *Entry) check() error {
	switch {
	case e.Peer == "" || len(e.Peer) > maxName || len(e.Service) > maxName:
		return fmt.Errorf("names of %d and %d octets", len(e.Peer), len(e.Service))
	case len(e.Key.Bytes()) != keyLength:
		return fmt.Errorf("a key of %d octets", len(e.Key.Bytes()))
	case e.Key.Equal(keys.NewSecret(make([]byte, keyLength))):
		return errors.New("a key that was wiped")
	case !plain(e.Made) || !plain(e.Authenticated) || !plain(e.CertificateEnd):
		return errors.New("a time outside the years 1 to 9999")
	}
	return nil
}

// The years 1 to 9999, in seconds since 1970: far from where arithmetic with a time overflows.
const (
	earliest = -62_135_596_800
	latest   = 253_402_300_799
)

func plain(t time.Time) bool { return earliest <= t.Unix() && t.Unix() <= latest }

// clone copies an entry with its key, and its times as the file has them: the wall clock alone.
func (e *Entry) clone() *Entry {
	c := *e
	c.Key = keys.ResumptionKey{Secret: keys.NewSecret(bytes.Clone(e.Key.Bytes()))}
	c.Made, c.Authenticated, c.CertificateEnd = wall(e.Made), wall(e.Authenticated), wall(e.CertificateEnd)
	return &c
}

// withoutKey is an entry for somebody who has to judge it only.
func (e *Entry) withoutKey() Entry {
	c := *e
	c.Key = keys.ResumptionKey{}
	return c
}

// compare is the order of entries: by peer, then service.
func (e *Entry) compare(o *Entry) int {
	return cmp.Or(strings.Compare(e.Peer, o.Peer), strings.Compare(e.Service, o.Service))
}

// wall takes the monotonic reading off, which means nothing after a restart.
func wall(t time.Time) time.Time { return t.Round(0).UTC() }

// lifetimes end an entry.
type lifetimes struct{ life, reauthenticate time.Duration }

// end tells from when on an entry will never be used again.
func (l lifetimes) end(e *Entry) time.Time {
	end := e.Made.Add(l.life)
	if at := e.Authenticated.Add(l.reauthenticate); at.Before(end) {
		end = at
	}
	if at := e.CertificateEnd; !at.IsZero() && at.Before(end) {
		end = at
	}
	return end
}

// over tells whether an entry will never be used again.
func (l lifetimes) over(e *Entry, now time.Time) bool { return !now.Before(l.end(e)) }

// early tells whether an entry comes from the future, where its age is unknown.
func early(e *Entry, now time.Time) bool {
	limit := now.Add(tolerance)
	return e.Made.After(limit) || e.Authenticated.After(limit)
}
