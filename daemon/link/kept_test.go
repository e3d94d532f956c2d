package link_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/policy"
)

// keptKeys is a store in memory.
type keptKeys struct {
	entries []link.KeptKey
	newest  map[keys.KNRPID]uint64
}

func (s *keptKeys) find(match func(link.KeptKey) bool) (link.KeptKey, bool) {
	i := slices.IndexFunc(s.entries, match)
	if i < 0 {
		return link.KeptKey{}, false
	}
	return owned(s.entries[i]), true
}

func (s *keptKeys) For(peer, service string) (link.KeptKey, bool) {
	return s.find(func(k link.KeptKey) bool { return k.Peer.Name == peer && k.Service == service })
}

func (s *keptKeys) Accept(k link.KeptKey, timestamp uint64) bool {
	id := k.ID
	if s.newest == nil {
		s.newest = map[keys.KNRPID]uint64{}
	}
	if timestamp <= s.newest[id] {
		return false
	}
	s.newest[id] = timestamp
	return true
}

func (s *keptKeys) Take(taken link.KeptKey) bool {
	if taken.PreShared {
		return true
	}
	before := len(s.entries)
	s.entries = slices.DeleteFunc(s.entries, func(k link.KeptKey) bool { return !k.PreShared && k.ID == taken.ID })
	return len(s.entries) < before
}

func (s *keptKeys) Rename(from, to keys.KNRPID) {
	for i, k := range s.entries {
		if !k.PreShared && k.ID == from {
			s.entries[i].ID = to
		}
	}
}

func (s *keptKeys) Put(k link.KeptKey) {
	if slices.ContainsFunc(s.entries, func(o link.KeptKey) bool { return o.PreShared }) {
		return
	}
	s.entries = slices.DeleteFunc(s.entries, func(o link.KeptKey) bool { return o.Peer.Name == k.Peer.Name && o.Service == k.Service })
	s.entries = append(s.entries, owned(k))
}

// owned copies a kept key with its octets.
func owned(k link.KeptKey) link.KeptKey {
	k.Key = keys.ResumptionKey{Secret: keys.NewSecret(bytes.Clone(k.Key.Bytes()))}
	return k
}

// again ends the link of a pair and prepares the next attempt, as a node does.
func (p *pair) again(t testing.TB) {
	t.Helper()
	p.pass(time.Second)
	for _, e := range []*end{p.a, p.b} {
		if e.machine != nil {
			e.machine.Abandon(link.ErrCancelled)
			p.drain(e)
		}
		e.machine, e.installed, e.plane = nil, nil, plane{}
		e.config.Local += 0x1000
		e.draws = 0
	}
	p.queue, p.sent = nil, nil
}

// messages counts what was sent in clear by type.
func (p *pair) messages(t testing.TB) map[pc5s.MessageType]int {
	t.Helper()
	count := map[pc5s.MessageType]int{}
	for _, d := range p.sent {
		if d[7] == 0 {
			count[pc5s.MessageType(d[10])]++
		}
	}
	return count
}

// TestR13_T05_KeptKey: after a full authentication the next establishments need none: four
// datagrams, no authentication request, keys that are new each time; and each key serves once.
func TestR13_KeptKey(t *testing.T) {
	for _, private := range []bool{false, true} {
		p := newPair(t)
		p.a.link.PrivateIdentity = private
		p.establish(t)
		seen := map[string]bool{string(p.a.installed.Send.Key.Bytes()): true}
		ids := map[keys.KNRPID]bool{}
		for i := range 5 {
			before := p.a.kept.entries[0]
			if ids[before.ID] || before.ID != p.b.kept.entries[0].ID || !before.Key.Equal(p.b.kept.entries[0].Key.Secret) {
				t.Fatalf("%d: the ends keep different keys, or one twice", i)
			}
			ids[before.ID] = true
			p.again(t)
			p.establish(t)
			if n := len(p.sent); n != 4 || p.messages(t)[pc5s.MessageDirectLinkAuthenticationRequest] != 0 {
				t.Errorf("%d: %d datagrams, %v", i, n, p.messages(t))
			}
			if len(p.sent[1]) > len(p.sent[0]) {
				t.Errorf("%d: the command has %d octets, the request %d (T34)", i, len(p.sent[1]), len(p.sent[0]))
			}
			if k := string(p.a.installed.Send.Key.Bytes()); seen[k] {
				t.Error("a key came again")
			} else {
				seen[k] = true
			}
			if p.a.kept.entries[0].Authenticated != epoch {
				t.Error("resuming renewed the time of the full authentication")
			}
			if private && bytes.Contains(p.sent[0], []byte("alice")) {
				t.Error("the name stands in the request")
			}
		}
		p.close()
	}
}

// TestR05_WhenFullAuthenticationIsNeeded: an unknown key, a wrong binder, a key that the pins no
// longer admit, and either end that wants it: the attempt goes on with full authentication.
func TestR05_WhenFullAuthenticationIsNeeded(t *testing.T) {
	for name, change := range map[string]func(p *pair){
		"unknown ID":         func(p *pair) { p.b.kept.entries = nil },
		"another key":        func(p *pair) { p.b.kept.entries[0].Key = keys.ResumptionKey{Secret: keys.NewSecret(make([]byte, 32))} },
		"other pin then":     func(p *pair) { p.b.kept.entries[0].Peer.Fingerprint = policy.Fingerprint{1} },
		"forced at B":        func(p *pair) { p.b.link.Authenticate = policy.AuthenticateAlways },
		"forced at A":        func(p *pair) { p.a.link.Authenticate = policy.AuthenticateAlways },
		"other service then": func(p *pair) { p.b.kept.entries[0].Service = "video" },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			defer p.close()
			p.establish(t)
			p.again(t)
			change(p)
			p.establish(t)
			if p.messages(t)[pc5s.MessageDirectLinkAuthenticationRequest] == 0 {
				t.Error("no full authentication")
			}
		})
	}
}

// TestT05_ReplayedResumption: a recorded request makes no machine, now or later, and a request
// with an old time authenticates in full.
func TestT05_ReplayedResumption(t *testing.T) {
	p := newPair(t)
	defer p.close()
	p.establish(t)
	stolen := owned(p.b.kept.entries[0])
	p.again(t)
	p.establish(t)
	request := bytes.Clone(p.sent[0])
	for range 20 {
		_, admitted, err := p.b.admission.Receive(p.now, p.a.address, request)
		if err != nil || admitted != nil {
			t.Fatalf("a replayed request was admitted: %+v, %v", admitted, err)
		}
	}
	p.b.kept.Put(stolen) // even where the key had come back, its time is used up
	if _, admitted, err := p.b.admission.Receive(p.now, p.a.address, request); err != nil || admitted != nil && !admitted.Repeated {
		t.Errorf("a replayed request counts as new: %v", err)
	}
}

// TestT15_ResumptionLossOfEach: each subset of the four datagrams lost once.
func TestT15_ResumptionLosses(t *testing.T) {
	for pattern := range 1 << 5 {
		p := newPair(t)
		p.establish(t)
		p.again(t)
		p.lose = func(index int) bool { return index < 5 && pattern>>index&1 == 1 }
		p.run()
		for range 200 {
			if p.settled() || !p.tick() {
				break
			}
			p.deliver()
		}
		if p.b.machine == nil || p.a.machine.State() != link.Established || p.b.machine.State() != link.Established {
			t.Errorf("pattern %05b: a %v (%v)", pattern, p.a.machine.State(), p.a.machine.Failed())
		}
		p.agree(t, "pattern %05b", pattern)
		p.close()
	}
}

// TestT01_ResumptionEveryBit: no flipped bit of a resumed establishment ends in a link whose ends
// disagree.
func TestT01_ResumptionEveryBit(t *testing.T) {
	if testing.Short() {
		t.Skip("all bits; the full run has them")
	}
	reference := newPair(t)
	reference.establish(t)
	reference.again(t)
	reference.establish(t)
	for i, d := range reference.sent {
		for bit := range 8 * len(d) {
			p := newPair(t)
			p.establish(t)
			p.again(t)
			p.alter = func(index int, datagram []byte) {
				if index == i && bit/8 < len(datagram) {
					datagram[bit/8] ^= 0x80 >> (bit % 8)
				}
			}
			p.run()
			p.agree(t, "datagram %d bit %d", i, bit)
			p.close()
		}
	}
}

// TestKeptKey_Rekeying: a re-keying replaces the kept key at both ends.
func TestKeptKey_Rekeying(t *testing.T) {
	p := newPair(t)
	defer p.close()
	p.establish(t)
	before := p.a.kept.entries[0].ID
	p.pass(6 * time.Second)
	if err := p.a.machine.Rekey(p.now); err != nil {
		t.Fatal(err)
	}
	p.drain(p.a)
	p.deliver()
	a, b := p.a.kept.entries[0], p.b.kept.entries[0]
	if a.ID == before || a.ID != b.ID || !a.Key.Equal(b.Key.Secret) {
		t.Errorf("kept: a %v, b %v, before %v", a.ID, b.ID, before)
	}
	if err := p.a.machine.Failed(); err != nil && !errors.Is(err, link.ErrCancelled) {
		t.Error(err)
	}
	p.again(t)
	p.establish(t)
	if len(p.sent) != 4 {
		t.Errorf("%d datagrams", len(p.sent))
	}
}

// TestT76_TimeOfAKeptKey: a kept key tells the time of the full authentication by the wall clock, which
// is all that outlives a process. The machine goes on by the clock that nobody sets: a link whose clock
// jumps is not taken for one that was not authenticated for years.
func TestT76_TimeOfAKeptKey(t *testing.T) {
	p := newPair(t)
	defer p.close()
	p.now = time.Now()
	p.establish(t)
	full := p.now
	for _, e := range []*end{p.a, p.b} {
		e.kept.entries[0].Authenticated = e.kept.entries[0].Authenticated.Round(0)
	}
	p.again(t)
	p.now = p.now.Add(time.Hour)
	p.establish(t)
	for _, e := range []*end{p.a, p.b} {
		at := e.machine.FullAuthentication()
		if d := at.Sub(full); d.Abs() > time.Minute {
			t.Errorf("%s off", d)
		}
		if at == at.Round(0) {
			t.Error("by the wall clock")
		}
	}
}
