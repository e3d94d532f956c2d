package provision

import (
	"fmt"
	"time"
)

// Limits of the request timers (chosen).
const (
	minFirst, maxFirst     = 10 * time.Millisecond, time.Minute
	minRepeats, maxRepeats = 1, 32
)

// requestTimers are the keys of the request timers of TS 24.554, 12.
var requestTimers = []string{"t5080", "t5081", "t5082", "t5083", "t5085", "t5087", "t5089", "t5091", "t5092"}

// otherTimers are timers that belong to a link, and where they stand.
var otherTimers = map[string]string{
	"t5084": `write keepalive = "1m" in the [[link]]`,
	"t5086": `its time is the inactivity of the peer's [[link]]`,
	"t5090": `write update = "5m" in [link.privacy]`,
}

// timers reads [node.timers].
func timers(t *table) Timers {
	t.elsewhere = otherTimers
	defer t.finish()
	var out Timers
	word(t, "profile", &out.Profile, ProfileIP.String(), ProfileStandard.String())
	for _, key := range requestTimers {
		first := t.duration(key, minFirst, maxFirst)
		if first == 0 {
			continue
		}
		if out.First == nil {
			out.First = map[string]time.Duration{}
		}
		out.First[key] = first
	}
	if n, ok := t.number("repeats"); ok {
		if n < minRepeats || n > maxRepeats {
			t.doc.wrong(t.at("repeats"), fmt.Sprintf("%s %d is out of range", t.name("repeats"), n), fmt.Sprintf("%d to %d", minRepeats, maxRepeats))
		} else {
			out.Repeats = int(n)
		}
	}
	return out
}
