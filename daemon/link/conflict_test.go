package link_test

import (
	"testing"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// crowded is a node where the first names of commands, and the first new L2 IDs of peers, are
// those of somebody else.
type crowded struct {
	*end
	claims, ids int // that are still refused
	claimed     []link.Name
	asked       []underlay.LayerTwoID
}

func (c *crowded) Claim(n link.Name) bool {
	c.claimed = append(c.claimed, n)
	c.claims--
	return c.claims < 0
}

func (c *crowded) Taken(id underlay.LayerTwoID) bool {
	c.asked = append(c.asked, id)
	c.ids--
	return c.ids >= 0 || c.end.Taken(id)
}

// TestT14_LSBConflict: the initiator refuses the first low halves, in an establishment and in a
// re-keying, over fast and slow paths. B takes another half each time, and after four commands
// gives up.
func TestT14_LSBConflict(t *testing.T) {
	for _, rtt := range []time.Duration{0, 20 * time.Millisecond, 200 * time.Millisecond} {
		for refused := range 5 {
			for _, rekeying := range []bool{false, true} {
				n := newNetwork(t)
				n.delay = func() time.Duration { return rtt / 2 }
				c := &crowded{end: n.a}
				n.a.config.Identifiers = c
				if rekeying {
					n.connect()
					n.last(t, 5*time.Second, n.quiet)
					n.rest(t, 6*time.Second)
					n.wanted = false
				}
				c.claims, c.claimed = refused, nil
				if rekeying {
					n.command(t, n.a, n.a.machine.Rekey)
				} else {
					n.start()
				}
				n.rest(t, 3*time.Second)
				done := n.quiet() && (!rekeying || n.a.rekeyed == 1 && n.b.rekeyed == 1)
				if done != (refused < 4) {
					t.Errorf("path of %v, %d refused, re-keying %v: linked %v; %s", rtt, refused, rekeying, done, n.describe())
				}
				halves := map[keys.SessionID]bool{}
				for _, name := range c.claimed {
					halves[name.Session] = true
				}
				if len(halves) != min(refused+1, 4) {
					t.Errorf("path of %v, %d refused, re-keying %v: %d low halves were tried", rtt, refused, rekeying, len(halves))
				}
				n.sound(t)
				n.close()
			}
		}
	}
}

// TestT14_UpdateConflict: the target refuses the first new L2 IDs with cause 3; the initiator
// draws others, within a bound, and tries again when the next lifetime is over.
func TestT14_UpdateConflict(t *testing.T) {
	for _, refused := range []int{0, 1, 3, 1000} {
		n := newNetwork(t)
		n.a.config.Timers.T5090 = 5 * time.Minute
		c := &crowded{end: n.b, ids: refused}
		n.b.config.Identifiers = c
		rested(t, n.pair)
		name := n.a.plane.name
		n.command(t, n.a, n.a.machine.UpdateIdentifiers)
		n.rest(t, 3*time.Second)
		if moved := n.a.plane.name.Local != name.Local; moved != (refused < 4) || !n.quiet() || !n.sameNames() {
			t.Errorf("%d refused: %v became %v; %s", refused, name, n.a.plane.name, n.describe())
		}
		seen := map[underlay.LayerTwoID]bool{}
		for _, id := range c.asked {
			if seen[id] {
				t.Errorf("%d refused: %v was asked for twice", refused, id)
			}
			seen[id] = true
		}
		if len(seen) > 4 || len(seen) < min(refused+1, 4) {
			t.Errorf("%d refused: %d IDs were tried", refused, len(seen))
		}
		c.ids = 0
		name = n.a.plane.name
		n.rest(t, 6*time.Minute)
		if n.a.plane.name.Local == name.Local || !n.quiet() || !n.sameNames() {
			t.Errorf("%d refused: no update in the next lifetime; %s", refused, n.describe())
		}
		n.close()
	}
}

// TestT14_SessionConflict: a re-keying request whose half is that of a live context is not taken.
func TestT14_SessionConflict(t *testing.T) {
	s := at(t, "established A")
	defer s.close()
	request := s.fitting(t, pc5s.MessageDirectLinkRekeyingRequest).(*pc5s.DirectLinkRekeyingRequest)
	half := s.a.plane.name.Session.MSB()
	request.KNRPSessMSB = &half
	if _, err := s.put(s.b.machine.Speak(request)); err != link.DropForm || s.a.machine.Running() != link.NoProcedure {
		t.Errorf("%v, %v", err, s.a.machine.Running())
	}
}

// TestT14_ClaimGivenBack: a name that was entered for a command that is then refused for another
// reason is given back, or years of refused re-keyings would use up all names.
func TestT14_ClaimGivenBack(t *testing.T) {
	s := at(t, "rekeying_a")
	defer s.close()
	c := &crowded{end: s.a}
	s.a.machine.Meet(c)
	d, err := s.b.machine.CommandWith(s.now, func(c *pc5s.DirectLinkSecurityModeCommand) { c.Capabilities[0] ^= 0x01 })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.a.machine.Receive(s.now, s.b.address, d); err != nil {
		t.Fatal(err)
	}
	given := false
	for e, ok := s.a.machine.Next(); ok; e, ok = s.a.machine.Next() {
		removed, ok := e.(link.RemoveUserPlane)
		given = given || ok && len(c.claimed) == 1 && removed.Name == c.claimed[0]
	}
	if !given || s.a.machine.State() != link.Established || s.a.machine.Running() != link.NoProcedure {
		t.Errorf("given back %v, %v, %v", given, s.a.machine.State(), s.a.machine.Running())
	}
}
