package daemon

import (
	"cmp"
	"time"

	"pc5d/daemon/link"
	"pc5d/policy/provision"
)

// TimersOf gives the machines' timers as the provisioning wants them.
func TimersOf(p provision.Timers) link.Timers {
	t := link.ProfileIP()
	if p.Profile == provision.ProfileStandard {
		t = link.ProfileStandard()
	}
	for name, timer := range map[string]*link.Timer{
		"t5080": &t.T5080, "t5081": &t.T5081, "t5082": &t.T5082, "t5083": &t.T5083, "t5085": &t.T5085,
		"t5087": &t.T5087, "t5089": &t.T5089, "t5091": &t.T5091, "t5092": &t.T5092,
	} {
		timer.Initial = cmp.Or(p.First[name], timer.Initial)
		timer.Max = max(timer.Max, timer.Initial)
		timer.Repeats = cmp.Or(p.Repeats, timer.Repeats)
	}
	// A responder must not give up while its initiator may still repeat.
	t.HalfOpen = max(t.HalfOpen, patience(t.T5080), patience(t.T5092), patience(t.T5089))
	return t
}

// patience is how long a message is repeated before its procedure has failed.
func patience(t link.Timer) time.Duration {
	wait, sum := t.Initial, t.Initial
	for range t.Repeats {
		wait = min(time.Duration(float64(wait)*t.Factor), t.Max)
		sum += wait
	}
	return sum
}

// paceOf gives a link's own times.
func paceOf(l provision.Link) link.Pace {
	return link.Pace{KeepAlive: l.KeepAlive, Inactivity: l.Inactivity, RekeyEvery: l.Rekey.Time, UpdateEvery: l.Privacy.Update}
}
