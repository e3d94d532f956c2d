package link_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// negatives are all refusals that can be forged: whoever sees every datagram knows addresses,
// layer-2 IDs and conversation tag, and no key.
func negatives(n *network) []pc5s.Message {
	tag := kei.Tag(nil)
	if m := n.a.machine; m.State() > link.Idle && m.State() < link.AwaitAccept {
		tag = m.RequestTag()
	}
	var all []pc5s.Message
	for _, cause := range []pc5s.Cause{pc5s.CauseNotAllowed, pc5s.CauseLayer2IDConflict, pc5s.CauseLackOfResources, pc5s.CauseSecurityPolicyNotAligned, pc5s.CauseCongestion} {
		all = append(all, &pc5s.DirectLinkEstablishmentReject{Cause: cause})
	}
	for _, cause := range []pc5s.Cause{pc5s.CauseIntegrityFailure, pc5s.CauseCapabilitiesMismatch, pc5s.CauseLSBConflict, pc5s.CauseSignallingPolicyMismatch} {
		all = append(all, &pc5s.DirectLinkSecurityModeReject{Cause: cause})
	}
	for exchange := range uint8(4) {
		c := kei.Container{Method: kei.TLS13, Tag: tag, Exchange: exchange, Failure: true, Fragment: []byte{2, 40}}
		all = append(all,
			&pc5s.DirectLinkAuthenticationFailure{KeyEstablishmentInfo: c.AppendTo(nil)},
			&pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: c.AppendTo(nil)},
			&pc5s.DirectLinkAuthenticationResponse{KeyEstablishmentInfo: c.AppendTo(nil)})
	}
	return append(all,
		&pc5s.DirectLinkAuthenticationReject{Cause: pc5s.CauseAuthenticationFailure},
		&pc5s.DirectLinkModificationReject{Cause: pc5s.CauseServiceNotAllowed},
		&pc5s.DirectLinkIdentifierUpdateReject{Cause: pc5s.CauseLayer2IDConflict},
		&pc5s.DirectLinkReleaseRequest{Cause: pc5s.CauseNoLongerNeeded})
}

// TestT11_ForgedNegatives puts every forged refusal before each genuine message, of establishment,
// modification, re-keying, identifier update and keep-alive, to both ends. The genuine one wins:
// the story ends as if nobody had forged anything. A forged LSB conflict costs B commands, and
// any of them may be completed.
func TestT11_ForgedNegatives(t *testing.T) {
	n := newNetwork(t)
	defer n.close()
	forged := 0
	n.before = func(d transit) {
		for _, e := range []*end{n.a, n.b} {
			if e.machine == nil {
				continue
			}
			peer := n.a
			if e == n.a {
				peer = n.b
			}
			local, _ := e.machine.LayerTwoIDs()
			for _, source := range []underlay.LayerTwoID{peer.config.Local, underlay.Broadcast, 0x666} {
				for _, msg := range negatives(n) {
					h := underlay.Header{Destination: local, Source: source}
					datagram := append(append(h.AppendTo(nil), 0, 0), pc5s.Marshal(msg)...)
					state := e.machine.State()
					err := e.machine.Receive(n.now, peer.address, datagram)
					forged++
					reject, ok := msg.(*pc5s.DirectLinkSecurityModeReject)
					if conflict := ok && reject.Cause == pc5s.CauseLSBConflict; e.machine.State() != state || err == nil && !conflict {
						t.Errorf("%T in %v: %v, now %v", msg, state, err, e.machine.State())
					}
				}
			}
			n.drain(e)
		}
	}
	n.story(t)
	n.told(t, "forged")
	t.Logf("%d forgeries", forged)
}

// everyProtected are the messages that are protected on a link, as the peer would say them.
func everyProtected() []pc5s.MessageType {
	kinds := []pc5s.MessageType{pc5s.MessageDirectLinkEstablishmentAccept, pc5s.MessageDirectLinkEstablishmentReject}
	for kind := pc5s.MessageDirectLinkModificationRequest; kind <= pc5s.MessageDirectLinkKeepaliveResponse; kind++ {
		kinds = append(kinds, kind)
	}
	for kind := pc5s.MessageDirectLinkSecurityModeReject; kind <= pc5s.MessageDirectLinkIdentifierUpdateReject; kind++ {
		kinds = append(kinds, kind)
	}
	return kinds
}

// still is what no refused message may change.
func still(s *scene) string {
	m := s.subject.machine
	local, peer := m.LayerTwoIDs()
	return fmt.Sprint(m.State(), m.Running(), local, peer, m.Agreement(), m.Deadline(), m.Failed(), s.subject.plane.name, len(s.subject.plane.receives), m.KeepAliveCounter())
}

// established are the moments of an established link.
func established() []string {
	return []string{"established A", "established B", "keep-alive asked", "modify", "update_initiator", "update_target", "rekeying_a", "rekeying_a, completed", "rekeying_b"}
}

// TestT06_Refused puts every message of a link before it in clear, again, mirrored, under a
// foreign key and altered, in every sub-state: it is dropped and nothing changes.
func TestT06_Refused(t *testing.T) {
	for _, name := range established() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, kind := range everyProtected() {
				s := at(t, name)
				before := still(s)
				refuse := func(how string, datagram []byte) {
					t.Helper()
					if sent, err := s.put(datagram); err == nil || len(sent) > 0 {
						t.Errorf("%v %s: %v, %d sent", kind, how, err, len(sent))
					}
					if now := still(s); now != before {
						t.Errorf("%v %s: %s became %s", kind, how, before, now)
					}
				}
				msg := s.fitting(t, kind)
				refuse("in clear", s.clearFrom(msg))
				for _, bearer := range []underlay.LCID{underlay.SRB1, underlay.SRB2} {
					refuse("without a MAC", append(s.header(bearer), append([]byte{0, 0, 0, 0}, pc5s.Marshal(msg)...)...))
				}
				own := s.subject.machine.Speak(msg)
				refuse("reflected", own)
				mirrored := bytes.Clone(own)
				copy(mirrored[1:4], own[4:7])
				copy(mirrored[4:7], own[1:4])
				refuse("mirrored", mirrored)
				genuine := s.peer.machine.Speak(msg)
				for bit := range 8 * len(genuine) {
					d := bytes.Clone(genuine)
					if d[bit/8] ^= 0x80 >> (bit % 8); bit < 8 && d[0]&0x0f == 2 {
						continue // a hint, which anyone may give
					}
					if bit%47 == 0 || bit < 8*underlay.HeaderLen {
						refuse(fmt.Sprintf("with bit %d flipped", bit), d)
					}
				}
				s.put(genuine)
				if s.subject.machine.State() == link.Established {
					before = still(s)
					refuse("again", genuine)
				}
				s.close()
			}
		})
	}
}

// TestT06_OldKeys: what was protected under the keys before a re-keying is received in the grace
// time and refused after it.
func TestT06_OldKeys(t *testing.T) {
	for _, kind := range everyProtected() {
		s := at(t, "established A")
		s.command(t, s.a, s.a.machine.Rekey)
		s.deliver()
		held := s.b.machine.SpeakOld(s.fitting(t, kind))
		if held == nil || s.a.rekeyed != 1 {
			t.Fatal("no old keys")
		}
		s.pass(s.a.config.Timers.Grace - time.Millisecond)
		if _, err := s.put(s.b.machine.SpeakOld(&pc5s.DirectLinkKeepaliveRequest{Counter: 3})); err != nil {
			t.Errorf("in the grace time: %v", err)
		}
		s.pass(2 * time.Millisecond)
		before := still(s)
		if _, err := s.put(held); err != link.DropUnknownKey || still(s) != before {
			t.Errorf("%v after the grace time: %v", kind, err)
		}
		s.close()
	}
}

// TestT07_Mirror sends every datagram of all procedures back to its sender, as it is and with the
// layer-2 IDs changed over. The link comes up with the peer all the same.
func TestT07_Mirror(t *testing.T) {
	for _, private := range []bool{false, true} {
		n := newNetwork(t)
		n.a.link.PrivateIdentity = private
		n.before = func(d transit) {
			sender, other := n.a, n.b
			if d.from == n.b.address {
				sender, other = n.b, n.a
			}
			for _, back := range mirrored(d.datagram) {
				state, peer := sender.machine.State(), sender.machine
				n.receive(sender, transit{other.address, sender.address, back})
				// A request without a target gets a cookie of its own sender's door, which no
				// end can tell from another's.
				if now := sender.machine.State(); sender.machine != peer || now != state && now > link.Auth {
					t.Errorf("private %v: %x back to its sender: %v became %v", private, back[:8], state, now)
				}
			}
		}
		n.before = sparing(n, n.before)
		n.story(t)
		n.told(t, "mirrored, private %v", private)
		n.close()
	}
}

// mirrored are a datagram as it is, and with its layer-2 IDs changed over.
func mirrored(d []byte) [][]byte {
	turned := bytes.Clone(d)
	copy(turned[1:4], d[4:7])
	copy(turned[4:7], d[1:4])
	return [][]byte{bytes.Clone(d), turned}
}

// sparing leaves a stateless answer alone: it has no sender yet.
func sparing(n *network, before func(transit)) func(transit) {
	return func(d transit) {
		if d.from == n.b.address && n.b.machine == nil {
			return
		}
		before(d)
	}
}

// TestT07_Alone: nobody answers but the mirror. An end never makes a link with itself, also where
// its request does not say who it is.
func TestT07_Alone(t *testing.T) {
	for _, private := range []bool{false, true} {
		n := newNetwork(t)
		n.a.link.PrivateIdentity = private
		self := &end{address: n.b.address, link: n.a.link, admission: n.a.admission, config: n.a.config, drops: map[link.Drop]int{}}
		self.config.Links, self.config.Local = self, n.b.config.Local
		n.b = self // A's own door and credentials, behind the mirror
		n.connect()
		n.wanted = false
		n.rest(t, 30*time.Second)
		if n.a.machine.State() == link.Established || n.a.installed != nil || self.installed != nil {
			t.Errorf("private %v: a link with itself: %s", private, n.describe())
		}
		if !private && (self.machine != nil || self.drops[link.DropTarget] == 0) {
			t.Errorf("the own request was let in: %v", self.drops)
		}
		n.close()
	}
}
