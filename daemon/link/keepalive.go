package link

import (
	"time"

	"pc5d/daemon/pc5s"
)

// hintInterval bounds the keep-alives that unauthenticated hints cause (T37; chosen).
const hintInterval = time.Second

// formerRepeats is how often a request is repeated at the peer's former address, after all of them
// were in vain at the new one (chosen: a peer that is gone is to be replaced within 10 s).
const formerRepeats = 1

// keepAlive watches the peer (TS 24.554, 7.2.5). What counts as a sign of life is authentic
// received traffic only: own sending never proves a peer.
type keepAlive struct {
	counter    uint32         // of the next request
	waiting    bool           // for the response to it
	retry      retransmission // of the request, T5085
	due        time.Time      // T5084
	heard      uint64         // authentic PDUs and records so far
	plane      uint64         // of these, records as the user plane counted them
	mark       uint64         // heard when due was set
	inactivity time.Duration  // announced by the peer; 0: none
	end        time.Time      // T5086
	endMark    uint64         // heard when end was set
	hinted     time.Time      // when a hint last caused a request
	answered   answer
}

// Heard takes the user plane's count of authentic records. The owner calls it before each other
// input.
func (m *Machine) Heard(records uint64) {
	m.alive.heard += records - m.alive.plane
	m.alive.plane = records
}

// Stirred says that a packet was sent after a WatchTraffic: from now on the peer should be heard
// soon.
func (m *Machine) Stirred(now time.Time) {
	if m.state != Established || m.alive.waiting || m.cfg.Timers.Unanswered == 0 {
		return
	}
	m.alive.mark = m.alive.heard
	m.alive.due = earliest(m.alive.due, now.Add(m.cfg.Timers.Unanswered))
}

// rest waits for the next silence.
func (m *Machine) rest(now time.Time) {
	a := &m.alive
	a.waiting, a.mark, a.due = false, a.heard, after(now, m.cfg.Timers.T5084)
	a.retry.stop()
	a.extend(now)
	if m.cfg.Timers.Unanswered != 0 {
		m.emit(WatchTraffic{})
	}
}

// extend starts the inactivity period anew. It looks at what was heard since the last time, whatever
// was asked for meanwhile.
func (a *keepAlive) extend(now time.Time) {
	a.end, a.endMark = after(now, a.inactivity), a.heard
}

// advanceKeepAlive fires T5084, T5085 and T5086.
func (m *Machine) advanceKeepAlive(now time.Time) {
	a := &m.alive
	if due(a.end, now) && a.heard == a.endMark { // the peer announced that silence is its end
		m.failed = ErrInactive
		m.release(now, pc5s.CauseConnectionNotAvailable)
		return
	}
	if due(a.end, now) {
		a.extend(now)
	}
	switch {
	case due(a.due, now) && a.heard != a.mark:
		m.rest(now)
	case due(a.due, now):
		m.requestKeepAlive(now)
	case a.waiting && due(a.retry.at, now):
		m.repeatKeepAlive(now)
	}
}

func (m *Machine) keepAliveDeadline() time.Time {
	if m.state != Established {
		return time.Time{}
	}
	return earliest(m.alive.due, m.alive.end, m.alive.retry.at, m.pathDeadline())
}

// requestKeepAlive asks for a sign of life (TS 24.554, 7.2.5.2; recalled).
func (m *Machine) requestKeepAlive(now time.Time) {
	a := &m.alive
	a.waiting, a.mark, a.due = true, a.heard, time.Time{}
	a.retry.last, a.retry.sent = m.protected(m.keepAliveRequest(a.counter)), now
	a.retry.start(now, m.cfg.Timers.T5085)
	m.transmit(a.retry.last)
}

func (m *Machine) keepAliveRequest(counter uint32) *pc5s.DirectLinkKeepaliveRequest {
	r := &pc5s.DirectLinkKeepaliveRequest{SequenceNumber: m.nextSequence(), Counter: counter}
	if period := m.cfg.Timers.Inactivity; period > 0 {
		seconds := uint32(period / time.Second)
		r.MaximumInactivityPeriod = &seconds
	}
	return r
}

// repeatKeepAlive repeats the request, under today's keys and names; at the end the link is dead
// (7.2.5.4). What else proved the peer meanwhile is as good as the response, except for the way to a
// new address: that only the response proves.
func (m *Machine) repeatKeepAlive(now time.Time) {
	a := &m.alive
	switch {
	case a.heard != a.mark && !m.former.endpoint.IsValid():
		m.rest(now)
	case !a.retry.exhausted():
		a.retry.next(now)
		a.retry.last.ctx = m.ctx
		m.transmit(a.retry.last)
	case m.fallBack():
		m.requestKeepAlive(now)
		a.retry.count = max(0, a.retry.timer.Repeats-formerRepeats)
	default:
		m.fail(&UnansweredError{Message: a.retry.last.kind})
	}
}

// receiveKeepaliveRequest answers at once (TS 24.554, 7.2.5.3; recalled).
func (m *Machine) receiveKeepaliveRequest(now time.Time, raw []byte, msg *pc5s.DirectLinkKeepaliveRequest) error {
	if m.alive.answered.answers(raw) {
		return m.again(now, &m.alive.answered)
	}
	if err := m.admitRequest(now); err != nil {
		return err
	}
	m.alive.inactivity = 0
	if p := msg.MaximumInactivityPeriod; p != nil {
		m.alive.inactivity = time.Duration(*p) * time.Second
	}
	m.alive.extend(now)
	m.reply(now, &m.alive.answered, raw, m.protected(&pc5s.DirectLinkKeepaliveResponse{SequenceNumber: m.nextSequence(), Counter: msg.Counter}))
	return nil
}

func (m *Machine) receiveKeepaliveResponse(now time.Time, msg *pc5s.DirectLinkKeepaliveResponse) error {
	if m.pathAnswered(now, msg.Counter) {
		return nil
	}
	if !m.alive.waiting || msg.Counter != m.alive.counter {
		return DropState
	}
	m.alive.counter++
	m.former = former{} // where the peer is, is proved
	m.rest(now)
	return nil
}

// receiveHint follows the hint that the peer does not know this link: anyone can send it, so it
// causes a question under protection, at most one a second, and never an end (T37).
func (m *Machine) receiveHint(in arrival) error {
	if in.h.Destination != m.local || in.h.Source != m.peer {
		return DropNotForUs
	}
	if m.state != Established || m.alive.waiting || in.now.Sub(m.alive.hinted) < hintInterval {
		return DropHint
	}
	m.alive.hinted = in.now
	m.requestKeepAlive(in.now)
	return nil
}
