package sim

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"

	"pc5d/daemon"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// watch is what the invariants know: what all machines did, and what all hosts sent. It decides
// nothing, so its maps are only looked up.
type watch struct {
	lives   map[*link.Machine]*life
	every   []*life // also of processes that are gone, in the order of their birth
	live    []*life
	planes  map[planeName]*plane
	nonces  map[nonce]bool
	ledgers map[ledgerKey]*ledger
	wiping  []wiping

	packets    []*packet
	echoed     map[*packet]bool
	deliveries int
	tooBig     int // packets that came back, in a Packet Too Big
}

func newWatch() *watch {
	return &watch{
		lives: map[*link.Machine]*life{}, planes: map[planeName]*plane{}, nonces: map[nonce]bool{},
		ledgers: map[ledgerKey]*ledger{}, echoed: map[*packet]bool{},
	}
}

// life is one machine from its first effect to its last.
type life struct {
	process       *process
	machine       *link.Machine
	number        int
	link          string // "" at a responder until the peer is authenticated
	endpoint      netip.AddrPort
	speaking      []byte   // what it is about to send
	request       [32]byte // hash of the establishment request that it sent
	authenticated bool
	met           bool     // the peer proved itself, not only its request
	unproved      bool     // a responder's, of psk-dhe: nothing has proved the peer's address yet
	planes        []*plane // that it installed, oldest first
	sending       *plane
	released      bool // it said so
}

// plane is a key context of a machine's user plane: its keys, as hashes, and what goes with them.
type plane struct {
	life          *life
	agreement     link.Agreement
	send, receive [32]byte
	removed       bool
}

// wiping is a secret that must be gone when the step is over.
type wiping struct {
	name    string
	process *process
	secret  keys.Secret
}

func (l *life) String() string {
	return fmt.Sprintf("%s #%d %s", l.process.host.Name, l.number, l.machine.Role())
}

func (l *life) established() bool { return l.machine.State() == link.Established }

// end is the end that a life serves, nil while that is not known.
func (l *life) end() *End {
	for _, e := range l.process.host.Ends {
		if e.Name == l.link {
			return e
		}
	}
	return nil
}

// observe is told every effect before it is carried out.
func (w *World) observe(p *process, o daemon.Observation) {
	l := w.watch.lives[o.Machine]
	if l == nil {
		l = &life{process: p, machine: o.Machine, number: len(w.watch.every) + 1}
		w.watch.lives[o.Machine] = l
		w.watch.every = append(w.watch.every, l)
		w.watch.live = append(w.watch.live, l)
	}
	if o.Link != "" {
		l.link = o.Link
	}
	switch e := o.Effect.(type) {
	case link.Send:
		l.endpoint, l.speaking = e.To, e.Datagram
		if _, m := clearMessage(Datagram{Octets: e.Datagram}); m != nil && m.Type() == pc5s.MessageDirectLinkEstablishmentRequest {
			l.request = sha256.Sum256(e.Datagram[underlay.HeaderLen+2:])
		}
		p.speaker = l
	case link.Exchanged:
		if !e.Sent && l.machine.Role() == link.RoleB {
			l.hears(e.Message)
		}
	case link.Authenticated:
		l.authenticated, l.link = true, e.Link.Name
		l.met = e.Proof == link.ByCertificate
	case link.InstallUserPlane:
		w.install(l, e)
	case link.ActivateUserPlane:
		l.sending = w.plane(p, e.Name)
	case link.RemoveUserPlane:
		if gone := w.plane(p, e.Name); gone != nil { // nil: the machine never got as far
			gone.removed = true
		}
	case link.AddName:
		w.watch.planes[nameOf(p, e.Name)] = w.plane(p, e.Of)
	case link.Agreed:
		l.met = true
		w.checkCounterpart(l, e)
	case link.StateChanged:
		text := fmt.Sprintf("    %s: %s -> %s", l, e.From, e.To)
		if e.To == link.Released {
			l.released = true
			w.watch.live = slices.DeleteFunc(w.watch.live, func(o *life) bool { return o == l })
			text += fmt.Sprintf(" (%v)", l.machine.Failed())
		}
		w.Trace.note(w.Now(), text)
	}
}

// hears follows what a responder took: a request that proved a key of psk-dhe proves no address, which
// the complete does.
func (l *life) hears(t pc5s.MessageType) {
	switch t {
	case pc5s.MessageDirectLinkEstablishmentRequest:
		l.unproved = true
	case pc5s.MessageDirectLinkSecurityModeComplete:
		l.unproved = false
	}
}

// planeName is one of the names of a plane.
type planeName struct {
	process *process
	link.Name
}

func nameOf(p *process, n link.Name) planeName { return planeName{p, n} }

func (w *World) plane(p *process, n link.Name) *plane { return w.watch.planes[nameOf(p, n)] }

// ended takes the lives of a process that is gone out.
func (w *World) ended(p *process) {
	w.watch.live = slices.DeleteFunc(w.watch.live, func(l *life) bool { return l.process == p })
}

// mustWipe demands that a secret is gone when the step is over.
func (w *World) mustWipe(name string, p *process, s keys.Secret) {
	w.watch.wiping = append(w.watch.wiping, wiping{name, p, s})
}

// current is the established life of an end, nil if there is none.
func (w *World) current(e *End) *life {
	for _, l := range w.watch.live {
		if l.process.host == e.Host && l.link == e.Name && l.established() {
			return l
		}
	}
	return nil
}

// Attempts counts the machines that ever were at a host.
func (w *World) Attempts(h *Host) int {
	n := 0
	for _, l := range w.watch.every {
		if l.process.host == h {
			n++
		}
	}
	return n
}

// Machines counts the live machines at a host.
func (w *World) Machines(h *Host) int {
	n := 0
	for _, l := range w.watch.live {
		if l.process.host == h {
			n++
		}
	}
	return n
}
