package dataplane

import "pc5d/dataplane/tundev"

// Offloads are what the kernel does for all sockets and all interfaces, now.
type Offloads struct {
	Segment, Coalesce bool // udp.Offloads
	Ring              bool // tundev.Ring
}

// LinkOffloads are what the kernel does for the packets of a link, now.
type LinkOffloads struct {
	Device             tundev.Offloads
	TakesTCP, TakesUDP bool // super-packets are written whole; else they are cut here
}

// Offloads tells what is in use. A device that refused a super-packet gets none of its kind any more.
func (l *Link) Offloads() LinkOffloads {
	o := l.device.Offloads()
	return LinkOffloads{Device: o, TakesTCP: o.Takes && !l.cuts.Load(), TakesUDP: o.Takes && !l.cutsUDP.Load()}
}

// Offloads tells what is in use at every socket and by every worker.
func (e *Engine) Offloads() Offloads {
	all := Offloads{Segment: true, Coalesce: true, Ring: true}
	for _, s := range e.table.Load().sockets {
		o := s.receive.conn.Offloads()
		all.Segment, all.Coalesce = all.Segment && o.Segment, all.Coalesce && o.Coalesce
	}
	for _, t := range e.senders {
		all.Ring = all.Ring && t.ring.InUse()
	}
	return all
}
