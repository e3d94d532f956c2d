package sim

import (
	"net/netip"

	"pc5d/daemon/link"
)

// The bounds of threat-model 4, and those of the queues.
const (
	maxHalfOpen          = 512
	maxHalfOpenPerSource = 8
	maxSpent             = 4096
	maxQueued            = 512
	maxNames             = 3 // of a machine: present, next, and late ones
)

// check looks at everything after a step.
func (w *World) check() {
	w.checkWiped()
	for _, q := range w.ready {
		if len(q.tasks) > maxQueued {
			w.fault("I5: %d tasks wait in a queue", len(q.tasks))
		}
	}
	if len(w.ready) > 0 {
		return // what follows holds between steps only when nobody is at work
	}
	for _, h := range w.Hosts {
		if h.process != nil {
			w.checkProcess(h.process)
		}
	}
}

// checkWiped: what had to be gone is gone (I10).
func (w *World) checkWiped() {
	for _, s := range w.watch.wiping {
		for _, b := range s.secret.Bytes() {
			if b != 0 {
				w.fault("I10: %s of %s was not wiped", s.name, s.process.host.Name)
				break
			}
		}
	}
	w.watch.wiping = w.watch.wiping[:0]
}

// checkProcess: bounds (I5), one link per peer and service (I8), timers and owners (I9).
func (w *World) checkProcess(p *process) {
	c := p.node.Census()
	machines, halfOpen := 0, 0
	var sources map[netip.Addr]int
	established := map[string]int{}
	for _, l := range w.watch.live {
		if l.process != p {
			continue
		}
		machines++
		if l.machine.Role() == link.RoleB && !l.met {
			halfOpen++
			if sources == nil {
				sources = map[netip.Addr]int{}
			}
			if sources[l.endpoint.Addr()]++; sources[l.endpoint.Addr()] > maxHalfOpenPerSource {
				w.fault("I5: %s has more than %d half-open of %s", p.host.Name, maxHalfOpenPerSource, l.endpoint.Addr())
			}
		}
		if l.established() {
			if established[l.link]++; established[l.link] > 1 {
				w.fault("I8: %s has two established machines for %s", p.host.Name, l.link)
			}
		}
		if l.machine.Deadline().IsZero() {
			w.fault("I9: %s is %s and waits for nothing", l, l.machine.State())
		}
	}
	switch {
	case c.Links > len(p.host.Ends):
		w.fault("I5: %s has %d links", p.host.Name, c.Links)
	case c.HalfOpen != halfOpen || c.HalfOpen > maxHalfOpen:
		w.fault("I5: %s counts %d half-open, there are %d", p.host.Name, c.HalfOpen, halfOpen)
	case c.Machines != machines || c.LayerTwoIDs < machines || c.LayerTwoIDs > maxNames*machines || c.Pairs > maxNames*machines || c.Claims > maxNames*machines:
		w.fault("I5: %s has %d machines and keeps %+v", p.host.Name, machines, c)
	case c.Spent > maxSpent:
		w.fault("I5: %s remembers %d conversations", p.host.Name, c.Spent)
	}
	// The door, the keepers, the alarm of the invites and the machines have a queue each, and nobody
	// else has.
	if want := 1 + c.Links + c.Alarms + machines; len(p.scheduler.queues) != want {
		w.fault("I9: %s has %d queues with an owner, and %d queues", p.host.Name, want, len(p.scheduler.queues))
	}
}
