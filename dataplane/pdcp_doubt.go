package dataplane

import "time"

const (
	// failuresPerSecond is how many PDUs of a context are verified in vain within a second: a MAC-I of 32
	// bits can be guessed. The rest of the second is dropped unverified (chosen; T55).
	failuresPerSecond = 50
	// deafAfter is how long PDUs that are refused may come, and how many, with none that is taken: then
	// this end has lost the peer's HFN, and only new keys mend that (chosen).
	deafAfter = time.Second
	deafFrom  = 16
)

// doubt is what PDUs leave behind that were refused.
type doubt struct {
	second   time.Time // begin of the second in which failures are counted
	failures int
	since    time.Time // when the first was refused after the last that was taken
	refused  int       // since then
}

// spent tells whether no more PDUs are verified within this second.
func (d *doubt) spent(now func() time.Time) bool {
	return d.failures >= failuresPerSecond && now().Sub(d.second) < time.Second
}

// fail counts a PDU that did not verify.
func (d *doubt) fail(now time.Time) {
	if now.Sub(d.second) >= time.Second {
		d.second, d.failures = now, 0
	}
	d.failures++
}

// refuse counts a PDU that was refused, for whatever reason. A PDU of a COUNT that is too far ahead looks
// like one of the past.
func (d *doubt) refuse(now time.Time) {
	if d.refused == 0 {
		d.since = now
	}
	d.refused++
}

// take ends the doubt: a PDU was good.
func (d *doubt) take() { d.refused = 0 }

// deaf tells whether new keys are needed to hear the peer again.
func (d *doubt) deaf(now time.Time) bool {
	return d.refused >= deafFrom && now.Sub(d.since) >= deafAfter
}
