package link_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// TestP8_PrivateIdentity: no datagram of any procedure holds a name of either end, in the
// spellings that could stand there; each attempt has another pseudonym. Without private identity
// the same search finds the names.
func TestP8_PrivateIdentity(t *testing.T) {
	tell := func(private bool) *network {
		n := newNetwork(t)
		n.a.link.PrivateIdentity = private
		n.story(t)
		n.told(t, "private %v", private)
		n.close()
		return n
	}
	found := func(n *network, name string) bool {
		return slices.ContainsFunc(n.sent, func(d []byte) bool {
			lower := bytes.ToLower(d)
			return bytes.Contains(lower, []byte(name)) || bytes.Contains(lower, []byte(hex.EncodeToString([]byte(name))))
		})
	}
	open := tell(false)
	if !found(open, "alice") || !found(open, "bob") {
		t.Error("the names are not where they are expected without private identity")
	}
	pseudonyms, shown := map[string]bool{}, 0
	for range 20 {
		n := tell(true)
		if found(n, "alice") {
			t.Error("the initiator's name stands in a datagram")
		}
		if found(n, "bob") { // three octets that ciphertext has by chance, in one of thirty stories
			shown++
		}
		for _, e := range []*end{n.a, n.b} {
			if fp := e.config.Auth.Local().Fingerprint; slices.ContainsFunc(n.sent, func(d []byte) bool { return bytes.Contains(d, fp[:8]) }) {
				t.Error("a key's fingerprint stands in a datagram")
			}
		}
		request := n.a.machine.Sent()
		if p := string(request.SourceUserInfo); pseudonyms[p] || len(p) != 32 || len(request.TargetUserInfo) != 0 {
			t.Errorf("pseudonym %q, target %q", p, request.TargetUserInfo)
		} else {
			pseudonyms[p] = true
		}
		if n.b.installed.Agreement.A.Name != "alice" || n.a.installed.Agreement.B.Name != "bob" {
			t.Error("the ends do not know each other")
		}
	}
	if shown > 5 {
		t.Errorf("the responder's name stands in the datagrams of %d of 20 stories", shown)
	}
}

// TestR21_NothingLinks: after an identifier update no datagram has a layer-2 ID, or a K_NRP-sess
// ID, that stood in a datagram before it.
func TestR21_NothingLinks(t *testing.T) {
	n := newNetwork(t)
	defer n.close()
	rested(t, n.pair)
	n.command(t, n.a, n.a.machine.UpdateIdentifiers)
	n.rest(t, 11*time.Second)
	own := n.a.plane.name.Local
	change := slices.IndexFunc(n.sent, func(d []byte) bool { return bytes.Equal(d[4:7], []byte{byte(own >> 16), byte(own >> 8), byte(own)}) })
	n.a.machine.AskAlive(n.now)
	n.drain(n.a)
	n.b.machine.AskAlive(n.now)
	n.drain(n.b)
	n.rest(t, time.Minute)
	n.command(t, n.b, n.b.machine.Rekey)
	n.rest(t, time.Second)
	names := func(datagrams [][]byte) map[string]bool {
		set := map[string]bool{}
		for _, d := range datagrams {
			set["layer 2 "+string(d[1:4])], set["layer 2 "+string(d[4:7])] = true, true
			switch {
			case d[0]&0xf == byte(underlay.FormRecord):
				set["session "+string(d[8:10])] = true
			case d[7] != 0:
				set["session "+string(d[10:12])] = true
			}
		}
		delete(set, "layer 2 \xff\xff\xff")
		return set
	}
	before, after := names(n.sent[:change]), names(n.sent[change:])
	for name := range after {
		if before[name] {
			t.Errorf("%q stands before and after the update", name)
		}
	}
	if len(n.sent)-change < 8 || len(after) < 4 {
		t.Errorf("%d datagrams after the update, %d identifiers", len(n.sent)-change, len(after))
	}
}

// TestR03_Fresh: runs between the same two ends have other keys and nonces each time, and no
// nonce of 100,000 requests is like another.
func TestR03_Fresh(t *testing.T) {
	seen := map[string]string{}
	fresh := func(what string, b []byte) {
		t.Helper()
		if before, ok := seen[string(b)]; ok || len(b) < 16 {
			t.Errorf("%s of %d octets was a %s before", what, len(b), before)
		}
		seen[string(b)] = what
	}
	for range 100 {
		p := newPair(t)
		p.establish(t)
		p.pass(6 * time.Second)
		for _, rekey := range []bool{false, true} {
			if rekey {
				p.command(t, p.a, p.a.machine.Rekey)
				p.deliver()
			}
			fresh("key of A", p.a.installed.Send.Key.Bytes())
			fresh("key of B", p.b.installed.Send.Key.Bytes())
		}
		for _, d := range p.sent {
			if d[7] != byte(underlay.SRB1) {
				continue
			}
			if msg, err := pc5s.Parse(d[12 : len(d)-4]); err == nil {
				if c, ok := msg.(*pc5s.DirectLinkSecurityModeCommand); ok && c.Nonce2 != nil {
					fresh("Nonce_2", c.Nonce2[:])
				}
			}
		}
		p.close()
	}
	count := 100_000 / every(20)
	nonces := make(map[keys.Nonce]bool, count)
	e := newPair(t).a
	for range count {
		m := link.NewInitiator(e.config, e.link, e.address)
		if err := m.Start(epoch); err != nil {
			t.Fatal(err)
		}
		nonces[m.Nonce1()] = true
	}
	if len(nonces) != count || len(seen) != 600 {
		t.Errorf("%d of %d nonces, %d of 600 keys and Nonce_2 are different", len(nonces), count, len(seen))
	}
}

// TestR17_P7_PolicyOnTheWay: the initiator's user-plane policy in the complete, and the responder's
// decision in the accept, can be neither read nor changed: no run of four octets of either
// message stands in its datagram, the octet of the policy is ciphered to many values, and
// with any bit flipped the message is refused while the genuine one is taken.
func TestR17_P7_PolicyOnTheWay(t *testing.T) {
	values := [2]map[byte]bool{{}, {}}
	for run := range 32 {
		for i, c := range []struct {
			moment string
			kind   pc5s.MessageType
			waits  link.State
		}{
			{"security_mode B", pc5s.MessageDirectLinkSecurityModeComplete, link.SecurityMode},
			{"await_accept A", pc5s.MessageDirectLinkEstablishmentAccept, link.AwaitAccept},
		} {
			s := at(t, c.moment)
			d := s.sent[len(s.sent)-1] // which was lost
			values[i][policyOctet(t, s.peer.machine.Plain(c.kind), d)] = true
			for bit := range 8 * len(d) {
				altered := bytes.Clone(d)
				altered[bit/8] ^= 0x80 >> (bit % 8)
				if run > 0 && bit%97 != 0 {
					continue
				}
				s.now = s.now.Add(time.Second / 40) // within the budget of forgeries: each is verified
				if _, err := s.put(altered); err == nil || err == link.DropRate || s.subject.machine.State() != c.waits {
					t.Errorf("%v with bit %d flipped: %v, %v", c.kind, bit, err, s.subject.machine.State())
				}
			}
			if _, err := s.put(d); err != nil || s.subject.machine.State() != link.Established {
				t.Errorf("the genuine %v: %v, %v", c.kind, err, s.subject.machine.State())
			}
			s.close()
		}
	}
	if len(values[0]) < 16 || len(values[1]) < 16 {
		t.Errorf("the octet of the policy had %d and %d values in 32 runs", len(values[0]), len(values[1]))
	}
}

// policyOctet is the octet on the wire that carries the policy of a complete or an accept.
// It demands that nothing else of the message can be read.
func policyOctet(t *testing.T, plain, datagram []byte) byte {
	t.Helper()
	if len(plain) < 8 {
		t.Fatal("the message was not sent last")
	}
	header := 12 // underlay and PDCP
	if datagram[0]&0xf == byte(underlay.FormRecord) {
		header = 16
	}
	for at := 0; at+4 <= len(plain); at++ {
		if bytes.Contains(datagram[header:], plain[at:at+4]) && !bytes.Equal(plain[at:at+4], make([]byte, 4)) {
			t.Errorf("%x of the message stands in its datagram", plain[at:at+4])
		}
	}
	msg, err := pc5s.Parse(bytes.Clone(plain))
	if err != nil {
		t.Fatal(err)
	}
	switch msg := msg.(type) {
	case *pc5s.DirectLinkSecurityModeComplete:
		if msg.UserPlanePolicy != pc5s.SecurityPolicy(policy.DefaultUserPlane().Protection) {
			t.Errorf("policy %v", msg.UserPlanePolicy)
		}
		return datagram[header+policyAt(t, plain, 2, func(b []byte) bool {
			m, err := pc5s.Parse(b)
			c, ok := m.(*pc5s.DirectLinkSecurityModeComplete)
			return err == nil && ok && c.UserPlanePolicy != msg.UserPlanePolicy
		})]
	case *pc5s.DirectLinkEstablishmentAccept:
		return datagram[header+policyAt(t, plain, 1, func(b []byte) bool {
			m, err := pc5s.Parse(b)
			a, ok := m.(*pc5s.DirectLinkEstablishmentAccept)
			return err == nil && ok && a.UserPlane != msg.UserPlane
		})]
	}
	t.Fatalf("%T has no policy", msg)
	return 0
}

// policyAt finds the octet of a message of which a bit changes the policy.
func policyAt(t *testing.T, sdu []byte, bit byte, changes func([]byte) bool) int {
	t.Helper()
	for at := range sdu {
		b := bytes.Clone(sdu)
		if b[at] ^= bit; changes(b) {
			return at
		}
	}
	t.Fatal("no octet of the message changes the policy")
	return 0
}

// TestR18_NoKeysBeforeTheEnd goes through an establishment datagram by datagram: the initiator has
// no user-plane keys before the accept, the responder none before the complete; then each has
// them at once, sending.
func TestR18_NoKeysBeforeTheEnd(t *testing.T) {
	p := newPair(t)
	defer p.close()
	check := func() {
		t.Helper()
		for _, e := range []*end{p.a, p.b} {
			up := e.machine != nil && e.machine.State() == link.Established
			if has := len(e.plane.receives) > 0 || e.plane.sends != nil || e.installed != nil; has != up || up && e.plane.sends == nil {
				t.Errorf("%v: keys installed %v, sending %v", e.machine.State(), has, e.plane.sends != nil)
			}
		}
	}
	p.start()
	for check(); len(p.queue) > 0; check() {
		complete := p.queue[0].datagram[7] == byte(underlay.SRB1) && p.queue[0].to == p.b.address
		accept := p.queue[0].datagram[7] == byte(underlay.SRB2)
		p.arrive()
		if b := p.b.machine; complete != (b != nil && b.State() == link.Established) && !accept {
			t.Errorf("a datagram that is no complete made %v", b.State())
		}
		if up := p.a.machine.State() == link.Established; up != accept {
			t.Errorf("accept %v, the initiator is established %v", accept, up)
		}
	}
	if !p.settled() {
		t.Error("no link")
	}
}
