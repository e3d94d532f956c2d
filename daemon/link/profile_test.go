package link_test

import (
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/policy"
)

// TestT15_StandardProfile tells the story with the timers of the standard, and with SL-SRB2 as
// PDCP PDUs, over a path that loses, doubles and reorders the first datagrams of each part.
func TestT15_StandardProfile(t *testing.T) {
	for name, change := range map[string]func(e *end){
		"standard timers": func(e *end) { e.config.Timers = link.ProfileStandard() },
		"standard form":   func(e *end) { e.link.UserPlane.Form = policy.FormPDCP },
	} {
		t.Run(name, func(t *testing.T) {
			shards(t, 64/every(8), func(t *testing.T, seed int) {
				n := newNetwork(t)
				defer n.close()
				change(n.a)
				change(n.b)
				n.weather(uint64(seed), 200*time.Millisecond, 8, 0.3, 0.2)
				n.connect()
				if !n.last(t, 3*time.Minute, n.quiet) {
					t.Errorf("seed %d: %s", seed, n.describe())
					return
				}
				n.wanted = false
				n.rest(t, 6*time.Second)
				n.weather(uint64(seed)+1000, 200*time.Millisecond, 4, 0.3, 0.2)
				n.command(t, n.a, n.a.machine.UpdateIdentifiers)
				n.command(t, n.b, func(now time.Time) error { return n.b.machine.Modify(now, flows()) })
				n.rest(t, time.Minute)
				if !n.quiet() || !n.sameNames() || n.a.rekeyed != 1 || n.b.rekeyed != 1 || n.a.plane.name.Local == n.a.config.Local {
					t.Errorf("seed %d: %s", seed, n.describe())
				}
				n.agree(t, "seed %d", seed)
			})
		})
	}
}
