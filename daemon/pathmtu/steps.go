package pathmtu

import "time"

// Steps is the state of a path that can not be probed: PDUs of the standard form have no ECHO. What this
// host says is all that there is, and believed: one step down for each TooLong, never below Base, and all
// the way up after RaiseAfter.
type Steps struct {
	length int
	raise  time.Time
}

// NewSteps begins with Most.
func NewSteps() *Steps { return &Steps{length: Most} }

// ContentLen is how long PDUs may be.
func (s *Steps) ContentLen() int { return s.length }

// TooLong says that this host refused a datagram.
func (s *Steps) TooLong(now time.Time) {
	s.length, s.raise = max(Base, s.length-Step), now.Add(RaiseAfter)
}

// Advance does what is due.
func (s *Steps) Advance(now time.Time) {
	if due(s.raise, now) {
		*s = Steps{length: Most}
	}
}

// Deadline tells when to call Advance; zero: not at all.
func (s *Steps) Deadline() time.Time { return s.raise }
