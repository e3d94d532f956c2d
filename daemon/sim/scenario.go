package sim

import (
	"time"

	"pc5d/daemon/link"
)

var names = []string{"alice", "bob", "carol", "dave"}

// words are provisioning that both ends of a link may have; every two of them fit.
var words = []string{
	"",
	`signalling.ciphering = "required"`,
	`signalling.ciphering = "preferred"`,
	`user_plane.ciphering = "preferred"`,
	`user_plane.integrity = "preferred"`,
}

// misfits are provisioning at one end that no provisioning in words fits.
var misfits = []string{
	`signalling.ciphering = "not-needed"`,
	`user_plane.ciphering = "not-needed"`,
}

// Generate makes the hosts, the links and the network that the seed stands for, and starts the
// daemons.
func (w *World) Generate() error {
	w.Late = w.between(0, 3*time.Millisecond)
	w.Network.Conditions = w.conditions()
	count := 2
	for count < len(names) && w.chance(0.3) {
		count++
	}
	for _, name := range names[:count] {
		h := w.AddHost(name)
		h.Hybrid = w.chance(0.1)
		h.KeyFile, h.Gate = w.Seed%3 == 1, w.Seed%11 == 5
		w.hurry(&h.Timers)
	}
	for i := 1; i < count; i++ {
		w.provision(w.Hosts[i], w.Hosts[w.rand.IntN(i)], "ip")
	}
	if w.chance(0.2) {
		w.provision(w.Hosts[0], w.Hosts[1], "video")
	}
	for _, h := range w.Hosts {
		if err := h.Start(); err != nil {
			return err
		}
	}
	return nil
}

// hurry makes keys and silences short in some worlds, so that what takes hours happens.
func (w *World) hurry(t *link.Timers) {
	if w.chance(0.4) {
		t.RekeyEvery = w.between(3*time.Second, 20*time.Second)
		t.RekeyMin = w.between(500*time.Millisecond, 3*time.Second)
		t.KeyEnd = t.RekeyEvery + w.between(20*time.Second, 40*time.Second)
		t.Grace = w.between(500*time.Millisecond, 5*time.Second)
	}
	if w.chance(0.4) {
		t.T5084 = w.between(time.Second, 20*time.Second)
	}
	if w.chance(0.3) {
		t.T5090 = w.between(3*time.Second, 30*time.Second)
	}
	if w.Seed%7 == 3 {
		t.Reauthenticate, t.ReauthenticateEnd = 15*time.Second, time.Minute
	}
}

func (w *World) provision(a, b *Host, service string) {
	l := w.Connect(a, b, service)
	l.PreShared = w.Seed%5 == 2
	for _, e := range l.Ends() {
		e.Words = words[w.rand.IntN(len(words))]
	}
	one := l.Ends()[w.rand.IntN(2)]
	switch {
	case w.chance(0.03):
		l.Hopeless, one.Pin = true, [32]byte{1}
	case w.chance(0.03):
		l.Hopeless, one.Words, one.Peer.Words = true, misfits[w.rand.IntN(len(misfits))], `signalling.ciphering = "required"`
	case w.chance(0.3):
		one.Calls = false
	}
}

// conditions draws a network, from good to hardly usable.
func (w *World) conditions() Conditions {
	c := Conditions{MinDelay: 100 * time.Microsecond, MaxDelay: time.Millisecond}
	if w.chance(0.6) {
		c.Loss = 0.3 * w.rand.Float64()
	}
	if w.chance(0.4) {
		c.Duplicate = 0.2 * w.rand.Float64()
	}
	if w.chance(0.3) {
		c.Corrupt = 0.05 * w.rand.Float64()
	}
	if w.chance(0.5) {
		c.MaxDelay = w.between(time.Millisecond, 300*time.Millisecond)
	}
	return c
}

// Play lets actions happen for some tens of virtual seconds.
func (w *World) Play() {
	end := w.now.Add(w.between(5*time.Second, 40*time.Second))
	for w.now.Before(end) && len(w.faults) == 0 {
		w.act()
		w.Run(w.between(0, 2*time.Second))
	}
}

// Scenario is a whole generated run: a world, its actions, and liveness.
func (w *World) Scenario() error {
	if err := w.Generate(); err != nil {
		return err
	}
	w.Play()
	err := w.Liveness()
	if len(w.faults) > 0 {
		return w.faults[0]
	}
	return err
}
