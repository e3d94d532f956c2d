package link_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// withAlgorithms gives an end its lists.
func (e *end) withAlgorithms(c []nea.Ciphering, i []nea.Integrity) {
	e.link.Signalling.Ciphering = policy.Required
	e.link.Signalling.Ciphers, e.link.Signalling.Integrities = c, i
}

// chosen tells what both ends agreed on.
func (p *pair) chosen(t *testing.T, c nea.Ciphering, i nea.Integrity) {
	t.Helper()
	for _, e := range []*end{p.a, p.b} {
		if a := e.installed.Agreement; a.Ciphering != c || a.Integrity != i {
			t.Errorf("%s: %s and %s, want %s and %s", e.machine.Role(), a.Ciphering, a.Integrity, c, i)
		}
	}
}

// TestR14_P4_EveryPairOfAlgorithms: two machines set a link up and make new keys with each pair of
// ciphering and integrity. The initiator offers all, the responder prefers the pair.
func TestR14_P4_EveryPairOfAlgorithms(t *testing.T) {
	for _, c := range []nea.Ciphering{nea.NEA1, nea.NEA2, nea.NEA3} {
		for _, i := range []nea.Integrity{nea.NIA1, nea.NIA2, nea.NIA3} {
			p := newPair(t)
			p.a.withAlgorithms([]nea.Ciphering{nea.NEA1, nea.NEA2, nea.NEA3}, []nea.Integrity{nea.NIA1, nea.NIA2, nea.NIA3})
			p.b.withAlgorithms([]nea.Ciphering{c, nea.NEA1, nea.NEA2, nea.NEA3}, []nea.Integrity{i, nea.NIA1, nea.NIA2, nea.NIA3})
			p.establish(t)
			p.chosen(t, c, i)
			p.pass(6 * time.Second)
			if err := p.a.machine.Rekey(p.now); err != nil {
				t.Fatal(err)
			}
			p.drain(p.a)
			p.pass(4 * time.Second)
			if p.a.rekeyed != 1 || p.b.rekeyed != 1 {
				t.Errorf("%s and %s: re-keyed %d and %d times", c, i, p.a.rekeyed, p.b.rekeyed)
			}
			p.agree(t, "%s and %s", c, i)
			p.chosen(t, c, i)
			p.close()
		}
	}
}

// TestR14_OneCommonAlgorithm: the only pair that both ends have is found; without one there is no
// link.
func TestR14_OneCommonAlgorithm(t *testing.T) {
	p := newPair(t)
	p.a.withAlgorithms([]nea.Ciphering{nea.NEA2, nea.NEA3}, []nea.Integrity{nea.NIA2, nea.NIA1})
	p.b.withAlgorithms([]nea.Ciphering{nea.NEA1, nea.NEA3}, []nea.Integrity{nea.NIA3, nea.NIA1})
	p.establish(t)
	p.chosen(t, nea.NEA3, nea.NIA1)
	p.close()

	for name, lists := range map[string]struct {
		c []nea.Ciphering
		i []nea.Integrity
	}{
		"ciphering": {[]nea.Ciphering{nea.NEA1, nea.NEA3}, []nea.Integrity{nea.NIA2}},
		"integrity": {[]nea.Ciphering{nea.NEA2}, []nea.Integrity{nea.NIA1, nea.NIA3}},
	} {
		p := newPair(t)
		p.a.withAlgorithms([]nea.Ciphering{nea.NEA2}, []nea.Integrity{nea.NIA2})
		p.b.withAlgorithms(lists.c, lists.i)
		p.run()
		var refused *link.RejectedError
		if err := p.b.machine.Failed(); !errors.As(err, &refused) || refused.Cause != pc5s.CauseSecurityPolicyNotAligned {
			t.Errorf("no %s in common: %v", name, err)
		}
		if p.a.installed != nil || p.b.installed != nil {
			t.Errorf("no %s in common: keys were installed", name)
		}
		p.close()
	}
}

// TestR16_P7_EveryAlgorithmProtects: under each algorithm the command can be read and not be
// changed, and the complete can be neither.
func TestR16_P7_EveryAlgorithmProtects(t *testing.T) {
	for n := range 3 {
		c, i := nea.Ciphering(n+1), nea.Integrity(n+1)
		algorithms := func(p *pair) *pair {
			p.a.withAlgorithms([]nea.Ciphering{c}, []nea.Integrity{i})
			p.b.withAlgorithms([]nea.Ciphering{c}, []nea.Integrity{i})
			return p
		}
		p := algorithms(newPair(t))
		p.startUntil(t, "commanded", func() bool { return p.b.machine != nil && p.b.machine.State() == link.SecurityMode })
		command := p.queue[len(p.queue)-1]
		sdu, err := pdcp.PeekClear(command.datagram[underlay.HeaderLen:])
		if err != nil {
			t.Fatal(err)
		}
		msg, err := pc5s.Parse(sdu)
		if read, ok := msg.(*pc5s.DirectLinkSecurityModeCommand); !ok || read.Selected != (pc5s.SelectedAlgorithms{Ciphering: c, Integrity: i}) {
			t.Errorf("%s: the command reads %+v, %v", i, msg, err)
		}
		p.refuses(t, p.a, command, link.Auth)
		p.until(t, func() bool { return p.a.machine.State() == link.AwaitAccept })
		complete := p.queue[len(p.queue)-1]
		if bytes.Contains(complete.datagram, pc5s.DefaultQoS()) {
			t.Errorf("%s: the complete in clear: %x", c, complete.datagram)
		}
		p.refuses(t, p.b, complete, link.SecurityMode)
		p.settle()
		if p.a.machine.State() != link.Established {
			t.Errorf("%s and %s: %v", c, i, p.a.machine.State())
		}
		p.close()
	}
}

// refuses delivers a datagram again and again, each time with another bit behind the underlay header
// changed: an end in a state stays there. As many bits as it verifies in a second, evenly spread;
// package pdcp does it with all.
func (p *pair) refuses(t *testing.T, e *end, d transit, state link.State) {
	t.Helper()
	const tries = 45
	for n := range tries {
		bit := 8*underlay.HeaderLen + n*8*(len(d.datagram)-underlay.HeaderLen)/tries
		changed := bytes.Clone(d.datagram)
		changed[bit/8] ^= 0x80 >> (bit % 8)
		err := e.machine.Receive(p.now, d.from, changed)
		if drop, ok := err.(link.Drop); !ok || drop == link.DropRate || e.machine.State() != state {
			t.Fatalf("bit %d changed: %v, %v", bit, err, e.machine.State())
		}
	}
}
