package sim

import (
	"bytes"
	"slices"
	"time"

	"pc5d/dataplane/underlay"
)

// Attacker is on all paths: it reads everything that hosts send, and puts on the network what
// it likes. It has no key. What it drops, delays or alters on the way is a Filter.
type Attacker struct{ world *World }

// Filter is what an attacker does to a datagram on its way: what travels on.
type Filter func(Datagram) []Datagram

// Heard is what hosts sent so far, oldest first.
func (a *Attacker) Heard() []Datagram {
	return slices.DeleteFunc(slices.Clone(a.world.Network.recorded), func(d Datagram) bool { return d.Forged })
}

// recent are the newest n of what hosts sent, oldest first.
func (a *Attacker) recent(n int) []Datagram {
	recorded := a.world.Network.recorded
	newest := make([]Datagram, 0, n)
	for i := len(recorded) - 1; i >= 0 && len(newest) < n; i-- {
		if !recorded[i].Forged {
			newest = append(newest, recorded[i])
		}
	}
	slices.Reverse(newest)
	return newest
}

// any picks one of what hosts sent lately.
func (a *Attacker) any() (Datagram, bool) {
	recent := a.recent(200)
	if len(recent) == 0 {
		return Datagram{}, false
	}
	return recent[a.world.rand.IntN(len(recent))], true
}

// Replay sends datagrams again, as they were.
func (a *Attacker) Replay(datagrams ...Datagram) {
	for _, d := range datagrams {
		a.world.Network.Inject(d)
	}
}

// ReplayShuffled does so in another order.
func (a *Attacker) ReplayShuffled(datagrams ...Datagram) {
	datagrams = slices.Clone(datagrams)
	a.world.rand.Shuffle(len(datagrams), func(i, j int) { datagrams[i], datagrams[j] = datagrams[j], datagrams[i] })
	a.Replay(datagrams...)
}

// Reflect sends a datagram back to its sender, in the name of its receiver: as it is, and with
// the L2 IDs swapped, so that it looks like an answer (T07).
func (a *Attacker) Reflect(d Datagram) {
	for _, r := range a.Reflections(d) {
		a.world.Network.Inject(r)
	}
}

// Reflections are what Reflect sends.
func (a *Attacker) Reflections(d Datagram) []Datagram {
	back := Datagram{From: d.To, To: d.From, Octets: d.Octets}
	h, pdu, err := underlay.Parse(d.Octets)
	if err != nil {
		return []Datagram{back}
	}
	h.Source, h.Destination = h.Destination, h.Source
	return []Datagram{back, {From: d.To, To: d.From, Octets: append(h.AppendTo(nil), pdu...)}}
}

// Mirror reflects every datagram and lets it pass.
func (a *Attacker) Mirror(d Datagram) []Datagram {
	a.Reflect(d)
	return []Datagram{d}
}

// Flip sends a datagram with one bit flipped.
func (a *Attacker) Flip(d Datagram) {
	if len(d.Octets) == 0 {
		return
	}
	d.Octets = bytes.Clone(d.Octets)
	bit := a.world.rand.IntN(8 * len(d.Octets))
	d.Octets[bit/8] ^= 0x80 >> (bit % 8)
	a.world.Network.Inject(d)
}

// Elsewhere sends a datagram from another address (T58).
func (a *Attacker) Elsewhere(d Datagram) {
	w := a.world
	d.From = w.Hosts[w.rand.IntN(len(w.Hosts))].Address
	w.Network.Inject(d)
}

// Slow delays one direction by a time.
func (a *Attacker) Slow(from, to *Host, by time.Duration) { a.world.Network.Delay(from, to, by) }

// Before sends what make gives in front of each datagram, in its direction.
func (a *Attacker) Before(make func(Datagram) []Datagram) Filter {
	return func(d Datagram) []Datagram {
		forged := make(d)
		for i := range forged {
			forged[i].At, forged[i].Forged = a.world.Now(), true
			a.world.Network.record(forged[i])
		}
		return append(forged, d)
	}
}

// attack is one thing that the attacker does in a generated run.
type attack struct {
	name string
	do   func(a *Attacker, d Datagram)
}

// attacks are what a generated run picks from; d is something that a host sent lately.
var attacks = []attack{
	{"replays", func(a *Attacker, d Datagram) { a.Replay(d) }},
	{"replays everything", func(a *Attacker, d Datagram) { a.Replay(a.recent(60)...) }},
	{"replays everything shuffled", func(a *Attacker, d Datagram) { a.ReplayShuffled(a.recent(60)...) }},
	{"reflects", func(a *Attacker, d Datagram) { a.Reflect(d) }},
	{"flips a bit", func(a *Attacker, d Datagram) { a.Flip(d) }},
	{"sends from elsewhere", func(a *Attacker, d Datagram) { a.Elsewhere(d) }},
	{"forges", func(a *Attacker, d Datagram) { a.Replay(a.Forgeries(d)...) }},
	{"forges towards the sender", func(a *Attacker, d Datagram) { a.Replay(a.Forgeries(a.Reflections(d)[0])...) }},
	{"splices", func(a *Attacker, d Datagram) { a.Splice(d) }},
	{"forges before each message", func(a *Attacker, d Datagram) { a.world.Network.Filter = a.Before(a.Negatives) }},
	{"mirrors", func(a *Attacker, d Datagram) { a.world.Network.Filter = a.Mirror }},
	{"lets everything pass", func(a *Attacker, d Datagram) { a.world.Network.Filter = nil }},
}

// Attack does something.
func (a *Attacker) Attack() {
	d, ok := a.any()
	if !ok {
		return
	}
	chosen := attacks[a.world.rand.IntN(len(attacks))]
	a.world.Trace.note(a.world.Now(), "attacker "+chosen.name)
	chosen.do(a, d)
}
