package daemon

import (
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/policy/provision"
)

// TestTimersOf: without a word of the operator the profile stays as it is; a given first time
// and the repetitions go into each timer, and nobody gives up before his peer.
func TestTimersOf(t *testing.T) {
	if got, want := TimersOf(provision.Timers{}), link.ProfileIP(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	standard := TimersOf(provision.Timers{Profile: provision.ProfileStandard})
	if standard.T5080 != link.ProfileStandard().T5080 || standard.T5084 != 5*time.Second {
		t.Errorf("got %+v", standard)
	}
	own := TimersOf(provision.Timers{First: map[string]time.Duration{"t5089": 30 * time.Second}, Repeats: 2})
	if own.T5089.Initial != 30*time.Second || own.T5089.Max != 30*time.Second || own.T5091.Initial != 300*time.Millisecond || own.T5085.Repeats != 2 {
		t.Errorf("got %+v", own)
	}
	if own.HalfOpen < 90*time.Second {
		t.Errorf("half-open for %v, T5089 needs 90 s", own.HalfOpen)
	}
}
