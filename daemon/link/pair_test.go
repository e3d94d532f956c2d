package link_test

import (
	"bytes"
	"crypto/rand"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pc5d/daemon/auth/cookie"
	"pc5d/daemon/link"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// end is one side of a simulated link: its machine, once it has one, and its door.
type end struct {
	address   netip.AddrPort
	config    link.Config
	link      link.Link
	door      link.AdmissionConfig
	admission *link.Admission
	kept      *keptKeys
	machine   *link.Machine
	installed *link.InstallUserPlane // the newest
	plane     plane
	drops     map[link.Drop]int
	concluded []link.Concluded
	rekeyed   int
	draws     underlay.LayerTwoID // L2 IDs that were reserved
}

// pair is two ends, a network without delay and a clock that only moves when nothing is under
// way. Every datagram sent is kept and may be altered on its way.
type pair struct {
	a, b  *end
	now   time.Time
	sent  [][]byte
	queue []transit
	alter func(index int, datagram []byte)
	lose  func(index int) bool
	// before sees a datagram just before it arrives.
	before func(transit)
}

type transit struct {
	from, to netip.AddrPort
	datagram []byte
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newPair(t testing.TB) *pair {
	t.Helper()
	alice, bob := identities(t)
	p := &pair{now: epoch}
	p.a = newEnd(t, "192.0.2.1:33536", 0x00A11CE, alice, link.Link{Name: "bob", Peer: "bob", Pins: []policy.Fingerprint{bob.Local().Fingerprint}, LinkLocal: netip.MustParseAddr("fe80::a")})
	p.b = newEnd(t, "192.0.2.2:33536", 0x000B0B, bob, link.Link{Name: "alice", Peer: "alice", Pins: []policy.Fingerprint{alice.Local().Fingerprint}, LinkLocal: netip.MustParseAddr("fe80::b")})
	return p
}

func newEnd(t testing.TB, address string, local underlay.LayerTwoID, a link.Authentication, l link.Link) *end {
	t.Helper()
	l.Service, l.Signalling, l.UserPlane = "ip", policy.DefaultSignalling(), policy.DefaultUserPlane().On(policy.WithAES)
	jar, err := cookie.New(rand.Reader, epoch)
	if err != nil {
		t.Fatal(err)
	}
	e := &end{address: netip.MustParseAddrPort(address), link: l, drops: map[link.Drop]int{}}
	e.kept = &keptKeys{}
	e.door = link.AdmissionConfig{Local: a.Local(), Jar: jar, Links: e, Kept: e.kept}
	e.admission = link.NewAdmission(e.door)
	e.config = link.Config{Kept: e.kept, Auth: a, Links: e, Identifiers: e, Local: local, Rand: rand.Reader, Timers: link.ProfileIP()}
	return e
}

// Lookup makes an end its own provisioning.
func (e *end) Lookup(peer link.Peer, service string) (link.Link, bool) {
	ok := peer.Name == e.link.Peer && service == e.link.Service && peer.Fingerprint == e.link.Pins[0]
	return e.link, ok
}

// Reserve gives L2 IDs near the first one.
func (e *end) Reserve() underlay.LayerTwoID {
	e.draws++
	return e.config.Local + e.draws
}

// Taken knows the own ones.
func (e *end) Taken(id underlay.LayerTwoID) bool {
	return id >= e.config.Local && id <= e.config.Local+e.draws
}

// Claim finds no conflict.
func (e *end) Claim(link.Name) bool { return true }

// start makes a the initiator.
func (p *pair) start() {
	p.a.machine = link.NewInitiator(p.a.config, p.a.link, p.b.address)
	if err := p.a.machine.Start(p.now); err != nil {
		panic(err)
	}
	p.drain(p.a)
}

// run starts an establishment and lets it go on until both ends are established, an end has
// failed, or nothing more can happen.
func (p *pair) run() {
	p.start()
	p.settle()
}

func (p *pair) settle() {
	for range 200 {
		p.deliver()
		if p.settled() || !p.tick() {
			return
		}
	}
}

func (p *pair) settled() bool {
	if p.a.machine.State() == link.Released {
		return true
	}
	return p.b.machine != nil && p.a.machine.State() == link.Established && p.b.machine.State() == link.Established
}

func (p *pair) deliver() {
	for len(p.queue) > 0 {
		p.arrive()
	}
}

// arrive delivers the oldest datagram under way.
func (p *pair) arrive() {
	d := p.queue[0]
	p.queue = p.queue[1:]
	if p.before != nil {
		p.before(d)
	}
	to := p.a
	if d.to == p.b.address {
		to = p.b
	}
	p.receive(to, d)
}

func (p *pair) receive(e *end, d transit) {
	var err error
	h, _, parse := underlay.Parse(d.datagram)
	switch {
	case parse == nil && h.Destination == underlay.Broadcast:
		err = p.knock(e, d)
	case e.machine != nil:
		err = e.machine.Receive(p.now, d.from, d.datagram)
	}
	if drop, ok := err.(link.Drop); ok {
		e.drops[drop]++
	}
	p.drain(e)
}

// knock is what a node does with a datagram for the broadcast L2 ID.
func (p *pair) knock(e *end, d transit) error {
	answer, admitted, err := e.admission.Receive(p.now, d.from, d.datagram)
	if err != nil {
		return err
	}
	open := e.machine != nil && e.machine.State() != link.Released
	if admitted == nil || admitted.Repeated && !open {
		p.send(e, d.from, answer)
		return nil
	}
	if open {
		return e.machine.Readmit(p.now, admitted)
	}
	e.machine, err = link.NewResponder(p.now, e.config, admitted)
	return err
}

func (p *pair) drain(e *end) {
	for e.machine != nil {
		effect, ok := e.machine.Next()
		if !ok {
			return
		}
		switch effect := effect.(type) {
		case link.Send:
			p.send(e, effect.To, effect.Datagram)
		case link.InstallUserPlane:
			e.installed = &effect
			e.plane.install(effect)
		case link.Concluded:
			e.concluded = append(e.concluded, effect)
		case link.Agreed:
			if effect.Rekeying {
				e.rekeyed++
			}
		default:
			e.plane.follow(effect)
		}
	}
}

func (p *pair) send(e *end, to netip.AddrPort, datagram []byte) {
	index := len(p.sent)
	p.sent = append(p.sent, bytes.Clone(datagram))
	if p.lose != nil && p.lose(index) {
		return
	}
	d := bytes.Clone(datagram)
	if p.alter != nil {
		p.alter(index, d)
	}
	p.queue = append(p.queue, transit{e.address, to, d})
}

// next is the next deadline of an end.
func (p *pair) next() time.Time {
	var next time.Time
	for _, e := range []*end{p.a, p.b} {
		if e.machine == nil {
			continue
		}
		if at := e.machine.Deadline(); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// tick moves the clock to the next deadline.
func (p *pair) tick() bool {
	next := p.next()
	if next.IsZero() {
		return false
	}
	if next.After(p.now) {
		p.now = next
	}
	for _, e := range []*end{p.a, p.b} {
		if e.machine != nil {
			e.machine.Advance(p.now)
			p.drain(e)
		}
	}
	return true
}

// pass lets time go by, with everything that becomes due in it.
func (p *pair) pass(d time.Duration) {
	end := p.now.Add(d)
	for p.deliver(); ; p.deliver() {
		next := p.next()
		if next.IsZero() || next.After(end) {
			p.now = end
			return
		}
		p.tick()
	}
}

func (p *pair) close() {
	for _, e := range []*end{p.a, p.b} {
		if e.machine != nil {
			e.machine.Abandon(link.ErrCancelled)
		}
	}
}

// establish runs and demands a link.
func (p *pair) establish(t testing.TB) {
	t.Helper()
	p.run()
	if p.b.machine == nil || p.a.machine.State() != link.Established || p.b.machine.State() != link.Established {
		t.Fatalf("not established: a %v (%v), b %v; drops %v %v", p.a.machine.State(), p.a.machine.Failed(), p.b.machine, p.a.drops, p.b.drops)
	}
	p.agree(t, "plain run")
}

// agree fails if both ends hold a link and differ in anything.
func (p *pair) agree(t testing.TB, format string, args ...any) {
	t.Helper()
	if p.a.installed == nil || p.b.installed == nil {
		return
	}
	a, b := p.a.installed, p.b.installed
	if diff := cmp.Diff(a.Agreement, b.Agreement, cmp.AllowUnexported(netip.Addr{})); diff != "" {
		t.Errorf(format+": the ends disagree (-a +b):\n%s", append(args, diff)...)
	}
	if ka, kb := keysOf(*a), keysOf(*b); ka.send != kb.receive || ka.receive != kb.send || ka.send == ka.receive || a.Send.Salt != b.Receive.Salt || a.Receive.Salt != b.Send.Salt {
		t.Errorf(format+": the ends have different keys", args...)
	}
	if a.Local != b.Peer || b.Local != a.Peer {
		t.Errorf(format+": the ends have different L2 IDs", args...)
	}
	p.planesFit(t)
}
