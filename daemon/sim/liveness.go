package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What liveness allows (T94).
const (
	healingTime      = 75 * time.Second // the longest pause between attempts, and one attempt
	livenessTime     = 60 * time.Second
	livenessMessages = 150 // signalling datagrams for each link
	pingEvery        = 500 * time.Millisecond
)

// LivenessError says which links did not come back.
type LivenessError struct {
	Links []*Link
	text  string
}

func (e *LivenessError) Error() string { return e.text }

// EndFaults makes the network perfect, sends the attacker away, sets the clocks right and starts
// every daemon that does not run.
func (w *World) EndFaults() error {
	w.Network.Conditions, w.Network.Filter = perfect, nil
	w.Network.Heal()
	stopped := func() bool {
		for _, h := range w.Hosts {
			if h.process != nil && h.process.stopping {
				return false
			}
		}
		return true
	}
	if !w.RunUntil(5*time.Second, stopped) && len(w.faults) == 0 {
		return &LivenessError{text: "a daemon does not stop"}
	}
	for _, h := range w.Hosts {
		h.Jump = 0
		if h.process == nil && h.stranger == nil {
			if err := h.Start(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Liveness ends all faults, lets the operators ask for every link, and demands that each is
// ESTABLISHED at both ends and carries packets both ways within a minute, at the cost of a
// bounded number of messages. Links that can not be, by their provisioning, must not be.
func (w *World) Liveness() error {
	if err := w.EndFaults(); err != nil {
		return err
	}
	if err := w.heals(); err != nil {
		return err
	}
	before := w.signalling
	for _, l := range w.Links {
		l.A.Up()
		l.B.Up()
	}
	proofs := make([]*proof, len(w.Links))
	for i, l := range w.Links {
		proofs[i] = &proof{link: l}
	}
	all := func() bool {
		live := true
		for _, p := range proofs {
			live = p.done() && live // each one pings
		}
		return live
	}
	if !w.RunUntil(livenessTime, all) {
		return w.notLive(proofs)
	}
	if n := w.signalling - before; n > livenessMessages*len(w.Links) {
		return &LivenessError{text: fmt.Sprintf("%d messages for %d links", n, len(w.Links))}
	}
	return nil
}

// heals demands that a link that an end tries to bring up comes up without an operator: at the
// latest with the next attempt, which may be a minute away.
func (w *World) heals() error {
	var trying []*proof
	for _, l := range w.Links {
		if wants(l.A) || wants(l.B) {
			trying = append(trying, &proof{link: l})
		}
	}
	all := func() bool {
		return !slices.ContainsFunc(trying, func(p *proof) bool { return !p.link.Hopeless && !p.link.Agreed() })
	}
	if !w.RunUntil(healingTime, all) {
		return w.notLive(trying)
	}
	return nil
}

// wants tells whether an end is on its way up, or waits for its next attempt.
func wants(e *End) bool {
	s := e.State()
	return s == "establishing" || s == "waiting" || s == "failed"
}

func (w *World) notLive(proofs []*proof) error {
	if len(w.faults) > 0 {
		return w.faults[0]
	}
	failed := &LivenessError{}
	var texts []string
	for _, p := range proofs {
		if p.link.Hopeless || p.link.Agreed() && p.done() {
			continue
		}
		l := p.link
		texts = append(texts, fmt.Sprintf("%s is %q at %s and %q at %s (%v %v)", l, l.A.State(), l.A.Host.Name, l.B.State(), l.B.Host.Name, w.current(l.A), w.current(l.B)))
		failed.Links = append(failed.Links, l)
	}
	failed.text = "not live: " + strings.Join(texts, "; ")
	return failed
}

// Agreed tells whether both ends are established in the same session.
func (l *Link) Agreed() bool {
	w := l.A.Host.world
	a, b := w.current(l.A), w.current(l.B)
	return a != nil && b != nil && a.sending.send == b.sending.receive && l.A.Established() && l.B.Established()
}

// Proof returns what tells whether the link is live: it pings until an answer came each way.
func (l *Link) Proof() (live func() bool) { return (&proof{link: l}).done }

// proof is what shows that a link is live.
type proof struct {
	link  *Link
	tried time.Time // zero: not yet
	pongs []func() bool
	ok    bool
}

// done pings from both ends, as traffic would, until an answer came each way over one session.
func (p *proof) done() bool {
	w := p.link.A.Host.world
	if p.link.Hopeless || p.ok {
		return true
	}
	if p.tried.IsZero() || w.now.Sub(p.tried) >= pingEvery {
		p.tried = w.now
		p.pongs = []func() bool{p.link.A.Ping(IPv4), p.link.B.Ping(IPv6)}
		w.After(pingEvery, func() {}) // so that there is a next step
	}
	p.ok = p.link.Agreed() && p.pongs[0]() && p.pongs[1]()
	return p.ok
}
