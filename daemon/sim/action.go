package sim

import "time"

// Action is something that happens in a generated run to an end of a link, to its host, or to
// the network. One more row in actions is all that a new one needs; Do draws from w.rand alone.
type Action struct {
	Name   string
	Weight int // how often, compared with the others
	Do     func(w *World, e *End)
}

// actions are what a generated run picks from.
var actions = []Action{
	{"send", 30, (*World).burst},
	{"up", 10, func(_ *World, e *End) { e.Up() }},
	{"down", 3, func(_ *World, e *End) { e.Down() }},
	{"rekey", 6, func(_ *World, e *End) { e.Rekey() }},
	{"update", 4, func(_ *World, e *End) { e.UpdateIdentifiers() }},
	{"restart", 2, func(w *World, e *End) { e.Host.Stop(); w.startLater(e.Host) }},
	{"crash", 3, func(w *World, e *End) { e.Host.Kill(); w.startLater(e.Host) }},
	{"crash with a torn state file", 1, func(w *World, e *End) { e.Host.Kill(); e.Host.Tear(); w.startLater(e.Host) }},
	{"crash without state", 2, func(w *World, e *End) { e.Host.Kill(); e.Host.Forget(); w.startLater(e.Host) }},
	{"clock", 1, (*World).jump},
	{"part", 3, (*World).part},
	{"conditions", 3, func(w *World, _ *End) { w.Network.Conditions = w.conditions() }},
	{"attack", 25, func(w *World, _ *End) { w.attacker.Attack() }},
}

// act does one action to one end.
func (w *World) act() {
	l := w.Links[w.rand.IntN(len(w.Links))]
	end := l.Ends()[w.rand.IntN(2)]
	total := 0
	for _, a := range actions {
		total += a.Weight
	}
	at := w.rand.IntN(total)
	for _, a := range actions {
		if at -= a.Weight; at < 0 {
			w.Trace.note(w.Now(), "action: "+a.Name+" "+end.String())
			a.Do(w, end)
			return
		}
	}
}

// burst sends some packets each way.
func (w *World) burst(e *End) {
	for range 1 + w.rand.IntN(12) {
		from := e
		if w.chance(0.3) {
			from = e.Peer
		}
		family := IPv4
		if w.chance(0.5) {
			family = IPv6
		}
		from.Send(family, w.rand.IntN(largestPacket))
	}
}

// startLater starts a host's daemon after a while.
func (w *World) startLater(h *Host) {
	w.After(w.between(0, 5*time.Second), func() {
		switch {
		case h.process == nil:
			if err := h.Start(); err != nil {
				w.fault("T92: %s does not start again: %v", h.Name, err)
			}
		case h.process.stopping:
			w.startLater(h)
		}
	})
}

// jump sets a wall clock up to ten years off, and later right again (T76).
func (w *World) jump(e *End) {
	const tenYears = 10 * 365 * 24 * time.Hour
	h := e.Host
	h.Jump = w.between(-tenYears, tenYears)
	h.note("has its clock set " + h.Jump.String() + " off")
	w.After(w.between(0, 20*time.Second), func() { h.Jump = 0 })
}

// part cuts a link's hosts apart, one way or both, for a while.
func (w *World) part(e *End) {
	a, b := e.Host, e.Peer.Host
	w.Network.Cut(a, b)
	if w.chance(0.5) {
		w.Network.Cut(b, a)
	}
	w.After(w.between(0, 20*time.Second), w.Network.Heal)
}
