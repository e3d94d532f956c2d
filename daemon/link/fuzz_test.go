package link_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// director lets octets decide what becomes of datagrams, time and owners.
type director struct {
	*network
	script []byte
	evil   bool // an end said by its keys what no machine says
	counts map[sealing]bool
	looked int // at sent
}

// sealing is a use of keys that must not come twice.
type sealing struct {
	keys   any
	from   *end
	bearer byte
	count  string
}

func (d *director) octet() byte {
	if len(d.script) == 0 {
		return 0
	}
	b := d.script[0]
	d.script = d.script[1:]
	return b
}

func (d *director) octets(n int) []byte {
	n = min(n, len(d.script))
	b := d.script[:n]
	d.script = d.script[n:]
	return b
}

// somebody is one of the two ends and its peer.
func (d *director) somebody() (*end, *end) {
	if d.octet()&1 == 1 {
		return d.b, d.a
	}
	return d.a, d.b
}

// give lets a datagram arrive.
func (d *director) give(e, from *end, datagram []byte) {
	d.receive(e, transit{from.address, e.address, bytes.Clone(datagram)})
}

// act does one thing.
func (d *director) act(t *testing.T) {
	d.collect()
	switch op := d.octet(); op % 16 {
	case 0, 1, 2, 3: // deliver one; which one may be out of order
		if i := int(op/16) % (len(d.air) + 1); i < len(d.air) {
			f := d.air[i]
			d.air = append(d.air[:i:i], d.air[i+1:]...)
			d.queue = append(d.queue, f.transit)
			d.arrive()
		}
	case 4: // lose one
		if len(d.air) > 0 {
			d.air = d.air[1:]
		}
	case 5: // double one
		if len(d.air) > 0 {
			d.air = append(d.air, d.air[0])
		}
	case 6: // flip a bit
		if len(d.air) > 0 {
			b := d.air[0].datagram
			at := (int(d.octet())<<8 | int(d.octet())) % (8 * len(b))
			b[at/8] ^= 0x80 >> (at % 8)
		}
	case 7: // any datagram
		e, from := d.somebody()
		d.give(e, from, d.octets(int(d.octet())))
	case 8: // any PDU, well addressed
		e, from := d.somebody()
		if e.machine != nil {
			local, peer := e.machine.LayerTwoIDs()
			h := underlay.Header{Form: underlay.Form(op / 16 & 1), Destination: local, Source: peer, LCID: underlay.LCID(d.octet() % 3)}
			d.give(e, from, append(h.AppendTo(nil), d.octets(int(d.octet()))...))
		}
	case 9: // an old datagram, to either end, also back to its sender
		if e, from := d.somebody(); len(d.sent) > 0 {
			d.give(e, from, d.sent[(int(d.octet())<<8|int(d.octet()))%len(d.sent)])
		}
	case 10, 11: // time
		d.rest(t, time.Duration(d.octet())*20*time.Millisecond)
	case 12: // the next timer
		if d.tick() {
			d.advance(t)
		}
	case 13:
		d.order(op / 16)
	case 14: // an authentic message of any content
		e, from := d.somebody()
		if from.machine != nil {
			d.evil = true
			if b := from.machine.Babble(d.octets(int(d.octet()))); b != nil {
				d.give(e, from, b)
			}
		}
	case 15: // an authentic message that could fit
		e, from := d.somebody()
		if e.machine != nil && from.machine != nil {
			d.evil = true
			s := &scene{pair: d.pair, subject: e, peer: from}
			kind := pc5s.MessageType(d.octet()%23 + 1)
			d.give(e, from, s.protected(t, kind))
		}
	}
}

// order is what an owner tells its machine.
func (d *director) order(which byte) {
	e, _ := d.somebody()
	if e.machine == nil {
		return
	}
	switch which % 7 {
	case 0:
		e.machine.Rekey(d.now)
	case 1:
		e.machine.UpdateIdentifiers(d.now)
	case 2:
		e.machine.Modify(d.now, flows())
	case 3:
		e.machine.Stirred(d.now)
	case 4:
		d.count++
		e.machine.Heard(uint64(d.count))
	case 5:
		if e.machine.State() == link.Established {
			e.machine.AskAlive(d.now)
		}
	case 6:
		e.machine.Release(d.now, pc5s.CauseNoLongerNeeded)
	}
	d.drain(e)
}

// watch notes each use of keys.
func (d *director) watch(t *testing.T) {
	t.Helper()
	for ; d.looked < len(d.sent); d.looked++ {
		datagram := d.sent[d.looked]
		for _, e := range []*end{d.a, d.b} {
			if e.machine == nil {
				continue
			}
			keys := e.machine.KeysOf(datagram)
			if keys == nil {
				continue
			}
			s := sealing{keys, e, datagram[7], string(datagram[8:10])}
			if datagram[0]&0xf == byte(underlay.FormRecord) {
				s.count = string(datagram[10:16])
			}
			if d.counts[s] {
				t.Fatalf("COUNT %x was used twice under the same keys on bearer %d", s.count, s.bearer)
			}
			d.counts[s] = true
		}
	}
}

// FuzzMachine lets octets drive two machines: deliver, lose, double, reorder, flip, replay,
// inject, time, commands, and an evil peer with valid keys. Nothing panics, no COUNT is
// used twice, no timer is due after it fired, memory stays bounded; and unless a peer was evil
// both ends come to the same end when the faults stop: one link that fits, or none.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0x7d, 1, 13, 0, 0, 0, 0, 0})
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		script := make([]byte, 60+r.IntN(200))
		for i := range script {
			script[i] = byte(r.Uint32())
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 1<<10 {
			return
		}
		d := &director{network: newNetwork(t), script: script, counts: map[sealing]bool{}}
		defer d.close()
		d.loose = true
		d.a.config.Rand, d.b.config.Rand = rand.NewChaCha8([32]byte{1}), rand.NewChaCha8([32]byte{2})
		d.a.config.Timers.Inactivity = time.Duration(d.octet()&3) * 30 * time.Second
		d.a.config.Timers.T5090 = time.Duration(d.octet()&1) * time.Minute
		d.start()
		if d.octet()&1 == 0 { // begin with a link
			d.last(t, 5*time.Second, d.quiet)
			d.rest(t, 6*time.Second)
		}
		for len(d.script) > 0 && !t.Failed() {
			d.act(t)
			d.watch(t)
			d.bounded(t)
		}
		d.rest(t, 4*time.Minute)
		d.watch(t)
		if d.evil {
			return
		}
		switch ended := d.a.machine.State() == link.Released && (d.b.machine == nil || d.b.machine.State() == link.Released); {
		case ended:
		case !d.both(link.Established) || !d.sameNames():
			t.Errorf("the ends do not come together: %s", d.describe())
		default:
			d.planesFit(t)
		}
	})
}

// bounded is what holds after every step, whatever a peer does.
func (d *director) bounded(t *testing.T) {
	t.Helper()
	for _, e := range []*end{d.a, d.b} {
		if e.machine == nil {
			continue
		}
		if effects, contexts, names := e.machine.Kept(); effects != 0 || contexts > 6 || names > 12 {
			t.Fatalf("a machine keeps %d effects, %d contexts, %d names", effects, contexts, names)
		}
	}
}
