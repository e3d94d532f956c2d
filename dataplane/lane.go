package dataplane

import (
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

// Lane is a pair of workers beside the first one, where there are processors for it: one sends for its share of
// the links, the other receives what the system brings to its socket. All packets of a link that leave take one lane,
// and a socket gets all user data of a peer's address or none (udp.ListenGroup), so that lanes reorder nothing.
type Lane struct {
	Conn   udp.Conn // of the same address as Config.Conn
	Poller tundev.Poller
}

// newLanes makes the workers of the lanes, the first of Config.Poller.
func (e *Engine) newLanes() {
	e.senders = []*transmitter{newTransmitter(e, e.config.Poller)}
	for _, lane := range e.config.Lanes {
		e.senders = append(e.senders, newTransmitter(e, lane.Poller))
		e.receivers = append(e.receivers, newReceiver(e, Port{}, lane.Conn))
	}
}

// startLanes starts their workers.
func (e *Engine) startLanes() {
	for _, t := range e.senders {
		e.workers.Go(func() { e.fail(t.run()) })
	}
	for _, r := range e.receivers {
		e.workers.Go(func() { e.fail(r.work()) })
	}
}

// stopLanes wakes them.
func (e *Engine) stopLanes() {
	for _, t := range e.senders {
		_ = t.poller.Close() // a second Close says so
	}
	for _, r := range e.receivers {
		_ = r.conn.Close()
	}
}

// senderOf is the worker that sends for a link.
func (e *Engine) senderOf(key uint32) *transmitter { return e.senders[int(key)%len(e.senders)] }

// quiesce returns when no worker uses any more what was withdrawn from the table before.
func (e *Engine) quiesce() {
	for _, t := range e.senders {
		t.activity.wait()
	}
	for _, r := range e.receivers {
		r.activity.wait()
	}
	for _, s := range e.table.Load().sockets {
		s.receive.activity.wait()
	}
}
