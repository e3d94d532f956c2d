package pathmtu

import (
	"io"
	"time"

	"pc5d/dataplane/record"
)

// Lengths of content.
const (
	Base = record.BaseContentLen
	Most = record.ContentLen
	Step = 128
)

// Times, all chosen. RFC 8899, 5.1.1, has 1 s and more for a probe without an answer, where nothing is
// known of the round trip; here its repetitions wait longer each, and an answer to any of them counts.
const (
	// Probes is MAX_PROBES.
	Probes = 3
	// FirstWait is how long the first of them waits; each next one twice as long.
	FirstWait = 300 * time.Millisecond
	// ConfirmEvery is how often the length in use is probed while records are sent.
	ConfirmEvery = 3 * time.Second
	// HintEvery bounds the probes that hints cause.
	HintEvery = 100 * time.Millisecond
	// RaiseAfter is when longer ones are tried again, while records are sent.
	RaiseAfter = 30 * time.Second
)

// Probe is an ECHO request that is to be sent.
type Probe struct {
	Token      record.Token
	ContentLen int
}

// Search is the state of one path.
type Search struct {
	random    io.Reader
	length    int // in use
	searching bool
	heard     bool // something was answered since the search began
	ceiling   int  // what to try first once the base length was answered
	down      bool // not even that was: nothing is known of the path
	probe     probe
	send      bool      // probe is to be sent
	confirmed time.Time // when length was last proved, or found to need no proof
	searched  time.Time // when the last search ended
	confirm   time.Time // when length is to be probed; zero: nothing was sent since
	raise     time.Time // when more is to be probed; the same
}

// probe is what was asked and not answered.
type probe struct {
	Probe
	again time.Time
	sent  int
}

// New makes the search of a path that nobody has used yet. Tokens are drawn from random.
func New(now time.Time, random io.Reader) *Search {
	s := &Search{random: random}
	s.Begin(now)
	return s
}

// Begin starts anew: the peer is somewhere else.
func (s *Search) Begin(now time.Time) {
	*s = Search{random: s.random, length: Base, searching: true}
	s.try(now, Most)
}

// ContentLen is how long records may be.
func (s *Search) ContentLen() int { return s.length }

// Searching tells whether that may be more soon: the search has just begun, or a length has failed.
func (s *Search) Searching() bool { return s.searching }

// Next gives the probe that is to be sent now, once.
func (s *Search) Next() (Probe, bool) {
	send := s.send
	s.send = false
	return s.probe.Probe, send
}

// Deadline tells when to call Advance; zero: not before something was sent.
func (s *Search) Deadline() time.Time {
	if s.probing() {
		return s.probe.again
	}
	return earliest(s.confirm, s.raise)
}

// Idle tells whether Sent is to be called when the next record is sent.
func (s *Search) Idle() bool {
	if s.probing() {
		return false
	}
	if s.down {
		return s.confirm.IsZero()
	}
	return s.length > Base && s.confirm.IsZero() || s.length < Most && s.raise.IsZero()
}

// Sent says that records are being sent.
func (s *Search) Sent(now time.Time) {
	if s.down && s.confirm.IsZero() {
		s.confirm = latest(now, s.searched.Add(FirstWait))
	}
	if s.length > Base && s.confirm.IsZero() {
		s.confirm = latest(now, s.confirmed.Add(ConfirmEvery))
	}
	if s.length < Most && !s.down && s.raise.IsZero() {
		s.raise = latest(now, s.searched.Add(RaiseAfter))
	}
	s.Advance(now)
}

// TooLong is a hint that records do not get through. It is worth one probe.
func (s *Search) TooLong(now time.Time) {
	if s.length == Base || s.probing() && s.probe.ContentLen == s.length {
		return
	}
	s.probe = probe{} // more than length can wait
	s.confirm = latest(now, s.confirmed.Add(HintEvery))
	s.Advance(now)
}

// Answered takes an answer; tokens that are not of the present probe mean nothing.
func (s *Search) Answered(now time.Time, token record.Token) {
	if !s.probing() || token != s.probe.Token {
		return
	}
	length := s.probe.ContentLen
	s.confirmed, s.probe, s.heard, s.down = now, probe{}, true, false
	switch {
	case length > s.length: // the longest that passes: those above have failed
		s.length, s.searching, s.searched = length, false, now
	case s.searching:
		s.try(now, s.ceiling)
	}
	s.Advance(now)
}

// Refused says that this host does not send the present probe: it is too long for the device.
func (s *Search) Refused(now time.Time, token record.Token) {
	if s.probing() && token == s.probe.Token {
		s.failed(now)
	}
}

// Advance does what is due.
func (s *Search) Advance(now time.Time) {
	switch {
	case s.probing() && now.Before(s.probe.again):
	case s.probing() && s.probe.sent < Probes:
		s.repeat(now)
	case s.probing():
		s.failed(now)
	case due(s.confirm, now):
		s.confirm = time.Time{}
		s.ask(now, s.length)
	case due(s.raise, now):
		s.raise = time.Time{}
		s.ask(now, Most)
	}
}

// failed follows a probe that nobody answered.
func (s *Search) failed(now time.Time) {
	length := s.probe.ContentLen
	s.probe, s.send = probe{}, false
	switch {
	case length == Base: // nothing arrives, of whatever length; asked again while records are sent
		s.down, s.ceiling, s.searched = true, Most, now
	case length <= s.length: // it was thought to pass: a black hole (RFC 8899, 4.3)
		s.fall(now, length-Step)
	default:
		s.try(now, length-Step)
	}
}

// fall goes back to the base length, and looks whether that passes, then what else, up to a length.
func (s *Search) fall(now time.Time, ceiling int) {
	s.length, s.searching, s.ceiling = Base, true, ceiling
	s.confirm, s.raise = time.Time{}, time.Time{}
	s.ask(now, Base)
}

// try probes a length that is more than what is in use; else the search has ended, unless nothing at all was
// answered: the base length is confirmed before anything is concluded (RFC 8899, 5.2).
func (s *Search) try(now time.Time, length int) {
	switch {
	case length > s.length:
		s.ask(now, length)
	case s.searching && !s.heard:
		s.ceiling = Base
		s.ask(now, Base)
	default:
		s.searching, s.searched = false, now
	}
}

// ask begins a probe.
func (s *Search) ask(now time.Time, length int) {
	s.probe = probe{Probe: Probe{ContentLen: length}}
	if _, err := io.ReadFull(s.random, s.probe.Token[:]); err != nil {
		s.probe = probe{} // no probe that anybody could answer: nothing changes
		return
	}
	s.repeat(now)
}

func (s *Search) repeat(now time.Time) {
	s.probe.again = now.Add(FirstWait << s.probe.sent)
	s.probe.sent++
	s.send = true
}

func (s *Search) probing() bool { return s.probe.ContentLen != 0 }

func due(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// earliest is the earlier one of two times that may be zero.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
