package link

import (
	"net/netip"
	"time"
)

// Chosen: a peer that moved is followed in less than 3 s, and one that did not is asked about once in pathRest,
// which its budget of requests bears.
const (
	pathWait   = 600 * time.Millisecond  // the present address has so long to answer
	pathRepeat = 200 * time.Millisecond  // between two questions
	pathProbes = 3                       // of them to each address
	pathLimit  = 3 * time.Second         // the other address has so long
	pathRest   = 1500 * time.Millisecond // after a trial that led nowhere
	// pathFactor is how many octets an address may get that did not answer yet, for each that came from
	// it: whoever copies datagrams must not aim this end at somebody.
	pathFactor = 3
	// pathQuestion tells the questions from those of T5084, whose counter begins at 0.
	pathQuestion = 1 << 31
)

// path follows a peer whose address has changed without a word: behind a NAT that forgot it, or on another
// network (Extension: TS 24.554 knows layer-2 IDs only). The candidate is where a PDU came from that
// verified and was ahead of all before. That is no proof, because a copy can be faster than its original
// (T58). So both addresses are asked under protection, each another question: an answer shows that the
// question arrived where it was sent. Traffic moves when the candidate has answered and the present
// address has not; while that one answers, nobody needs to go anywhere.
type path struct {
	candidate netip.AddrPort // not valid: no trial
	since     time.Time
	octets    int       // that the candidate may still get
	round     uint32    // of the questions
	sent      int       // of them
	repeat    time.Time // zero: all are sent
	answered  bool      // by the candidate
	end       time.Time // of the trial: the candidate has won, or has not answered
	rest      time.Time // no other trial before
	watch     time.Time // when the user plane looks again; zero: it does
}

// here and there are the counters of the questions to the present address and to the candidate.
func (p *path) here() uint32  { return pathQuestion | p.round<<1 }
func (p *path) there() uint32 { return pathQuestion | p.round<<1 | 1 }

// Elsewhere follows a record of the user plane, by the name of its context, that verified, was ahead of
// all before, and came from another address than where the link sends to. It ends a WatchPath.
func (m *Machine) Elsewhere(now time.Time, n Name, from netip.AddrPort, octets int) {
	if m.state != Established {
		return
	}
	m.path.watch = now.Add(pathWait)
	if n == m.ctx.names[0] {
		m.elsewhere(now, from, octets)
	}
}

// Moved says that this end may have another address. A question shows it to the peer: nothing else may be
// sent from here for long.
func (m *Machine) Moved(now time.Time) {
	if m.state == Established && !m.alive.waiting {
		m.requestKeepAlive(now)
	}
}

// heardFrom follows a message of signalling in the same way.
func (m *Machine) heardFrom(in arrival) {
	if m.state != Established || in.ctx != m.ctx || in.count < in.ctx.ahead {
		return
	}
	in.ctx.ahead = in.count + 1
	m.elsewhere(in.now, in.from, len(in.datagram))
}

func (m *Machine) elsewhere(now time.Time, from netip.AddrPort, octets int) {
	p := &m.path
	switch {
	case from == m.endpoint || m.changing() || now.Before(p.rest):
	case from == p.candidate:
		p.octets += pathFactor * octets
	case !p.candidate.IsValid() || !p.answered && !now.Before(p.since.Add(pathWait)):
		*p = path{candidate: from, since: now, octets: pathFactor * octets, round: p.round + 1, end: now.Add(pathLimit), watch: p.watch}
		m.askPaths(now)
	}
}

// changing tells whether the peer's address changes with its identifiers, which has rules of its own.
func (m *Machine) changing() bool {
	return m.procedure == UpdateInitiator || m.procedure == UpdateTarget || m.update.follow || m.former.endpoint.IsValid()
}

// askPaths asks at both addresses.
func (m *Machine) askPaths(now time.Time) {
	p := &m.path
	p.sent++
	p.repeat = time.Time{}
	if p.sent < pathProbes {
		p.repeat = now.Add(pathRepeat)
	}
	m.transmit(m.protected(m.keepAliveRequest(p.here())))
	if p.answered {
		return
	}
	question := m.protected(m.keepAliveRequest(p.there()))
	if sealed, ok := m.datagram(question); ok && len(sealed) <= p.octets {
		p.octets -= len(sealed)
		m.sendTo(p.candidate, question, sealed)
	}
}

// pathAnswered takes the answer to one of the questions; false: it is none.
func (m *Machine) pathAnswered(now time.Time, counter uint32) bool {
	p := &m.path
	switch {
	case !p.candidate.IsValid():
		return false
	case counter == p.here():
		p.settle(now)
		return true
	case counter != p.there():
		return false
	}
	if !p.answered {
		p.answered = true
		p.end = p.since.Add(max(pathWait, 2*now.Sub(p.since))) // as slow as the candidate may the other one be
	}
	return true
}

// settle ends the trial: the peer is where it was.
func (p *path) settle(now time.Time) {
	p.drop()
	p.rest = now.Add(pathRest)
	if !p.watch.IsZero() {
		p.watch = p.rest
	}
}

// drop ends the trial: it is about a link that has other addresses by now.
func (p *path) drop() { *p = path{round: p.round, watch: p.watch} }

// advancePath repeats the questions, decides, and asks the user plane to look again.
func (m *Machine) advancePath(now time.Time) {
	p := &m.path
	switch {
	case due(p.end, now) && p.answered:
		m.roam(now)
	case due(p.end, now):
		p.settle(now)
	case due(p.repeat, now):
		m.askPaths(now)
	}
	if due(p.watch, now) {
		p.watch = time.Time{}
		m.emit(WatchPath{})
	}
}

func (m *Machine) pathDeadline() time.Time {
	return earliest(m.path.end, m.path.repeat, m.path.watch)
}

// roam sends to the candidate from now on. The former address is kept until a question under T5085 is
// answered.
func (m *Machine) roam(now time.Time) {
	to := m.path.candidate
	m.path.drop()
	m.path.watch = now // it may move on at once
	m.move(former{m.endpoint, true}, to)
	m.requestKeepAlive(now)
}
