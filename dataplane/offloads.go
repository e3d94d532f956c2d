package dataplane

import (
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

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

// Offloads tells what is in use at every socket.
func (e *Engine) Offloads() udp.Offloads {
	all := udp.Offloads{Segment: true, Coalesce: true}
	for _, s := range e.table.Load().sockets {
		o := s.receive.conn.Offloads()
		all.Segment, all.Coalesce = all.Segment && o.Segment, all.Coalesce && o.Coalesce
	}
	return all
}
