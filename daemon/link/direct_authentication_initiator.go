package link

import (
	"bytes"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// receiveAuthenticationRequest is A's half. Nothing here is authenticated yet; the tag shows
// only that the sender saw the request.
func (m *Machine) receiveAuthenticationRequest(now time.Time, source underlay.LayerTwoID, msg *pc5s.DirectLinkAuthenticationRequest) error {
	if m.state != Requested && m.state != Auth {
		return DropState
	}
	c, err := kei.Parse(msg.KeyEstablishmentInfo)
	if err != nil {
		return DropContainer
	}
	if c.Tag != kei.Tag(m.run.request) || c.Failure {
		return DropConversation
	}
	if c.Start {
		return m.receiveCookie(now, source, c)
	}
	if c.Method != kei.TLS13 {
		return DropConversation
	}
	if m.auth.handshake == nil || source == underlay.Broadcast || (m.peer != underlay.Broadcast && source != m.peer) {
		return DropConversation
	}
	if c.Exchange == m.auth.exchange && c.Exchange != 0 {
		return m.repeat(now)
	}
	if c.Exchange != m.auth.exchange+1 || m.auth.complete() && c.AckOnly == m.auth.out.Done() {
		return DropConversation
	}
	if c.AckOnly {
		if m.auth.out.Done() {
			return DropConversation
		}
		m.answer(now, source, c.Exchange, false)
		return nil
	}
	if !m.auth.out.Done() {
		return DropConversation
	}
	if c.Exchange-m.auth.begun > maxRoundTrips {
		m.badFlight(now, source, c.Exchange, nil, ErrEndless)
		return nil
	}
	whole, err := m.auth.in.Add(c)
	if err != nil {
		return DropContainer
	}
	if !whole {
		m.answer(now, source, c.Exchange, true)
		return nil
	}
	return m.feedInitiator(now, source, c.Exchange)
}

// receiveCookie answers B's stateless authentication request: cookie, a copy of the request,
// and the first flight. A response with an unknown cookie is answered by a new one.
func (m *Machine) receiveCookie(now time.Time, source underlay.LayerTwoID, c *kei.Container) error {
	if m.auth.exchange != 0 || m.peer != underlay.Broadcast || source != underlay.Broadcast || c.Exchange != 0 || !c.HasCookie {
		return DropConversation
	}
	if bytes.Equal(c.Cookie, m.auth.cookie) {
		return m.repeat(now)
	}
	if m.auth.cookies >= maxCookies {
		return DropCookie
	}
	if c.Method == kei.PSKDHE {
		return m.returnCookie(now, c)
	}
	if m.link.Trust == policy.TrustPSK {
		return DropConversation
	}
	if m.auth.handshake == nil {
		if err := m.begin(); err != nil {
			m.fail(err)
			return nil
		}
	}
	m.auth.cookies++
	m.auth.cookie = bytes.Clone(c.Cookie)
	m.auth.tag = kei.Tag(m.run.request)
	m.setState(Auth)
	m.greet(now)
	return nil
}

// returnCookie answers B's cookie where the request proved a key of psk-dhe, which B wants to see
// from a proved address: a copy of the request. The command is next.
func (m *Machine) returnCookie(now time.Time, c *kei.Container) error {
	if m.run.psk == nil || m.auth.handshake != nil {
		return DropConversation
	}
	m.auth.cookies++
	m.auth.cookie = bytes.Clone(c.Cookie)
	m.setState(Auth)
	m.deadline = after(now, 2*m.cfg.Timers.HalfOpen)
	r := kei.Container{
		Method: kei.PSKDHE, Tag: kei.Tag(m.run.request), AckOnly: true, HasCookie: true, Cookie: m.auth.cookie, HasRequest: true, Request: m.run.request,
	}
	m.send(now, m.clear(&pc5s.DirectLinkAuthenticationResponse{SequenceNumber: m.nextSequence(), KeyEstablishmentInfo: r.AppendTo(nil)}), m.cfg.Timers.T5080)
	return nil
}

// begin makes A's half of a handshake and its first flight.
func (m *Machine) begin() error {
	h, err := m.client()
	if err != nil {
		return err
	}
	m.auth.handshake = h
	m.auth.first, err = h.Feed(nil)
	return err
}

// greet sends A's first flight with the cookie and a copy of the request. Its exchange number is
// 0, or after a bad flight that flight's: B goes on from there, so late ones are told apart. B's own
// time begins when this gets through.
func (m *Machine) greet(now time.Time) {
	m.auth.begun, m.deadline = m.auth.exchange, after(now, 2*m.cfg.Timers.HalfOpen)
	m.auth.out, m.auth.in = kei.NewOutgoing(m.auth.first), kei.Reassembly{}
	r := kei.Container{
		Method: kei.TLS13, Tag: m.auth.tag, Exchange: m.auth.exchange,
		HasCookie: true, Cookie: m.auth.cookie, HasRequest: true, Request: m.run.request,
	}
	m.auth.out.Fill(&r)
	m.send(now, m.clear(&pc5s.DirectLinkAuthenticationResponse{SequenceNumber: m.nextSequence(), KeyEstablishmentInfo: r.AppendTo(nil)}), m.cfg.Timers.T5080)
}

// restart begins the handshake again after a bad flight: anyone on the path can send one, so it
// does not end the attempt (T12). B is a stranger again.
func (m *Machine) restart(now time.Time, exchange uint8) error {
	m.auth.restarts++
	m.auth.handshake.Close()
	m.auth.exchange = exchange
	m.peer = underlay.Broadcast
	if err := m.begin(); err != nil {
		return err
	}
	m.greet(now)
	return nil
}

// answer sends A's next fragment, or an acknowledgement where B has more to send.
func (m *Machine) answer(now time.Time, source underlay.LayerTwoID, exchange uint8, ack bool) {
	m.peer = source
	m.auth.exchange = exchange
	m.send(now, m.clear(&pc5s.DirectLinkAuthenticationResponse{SequenceNumber: m.nextSequence(), KeyEstablishmentInfo: m.container(ack)}), m.cfg.Timers.T5080)
}

// feedInitiator gives B's whole flight to the handshake.
func (m *Machine) feedInitiator(now time.Time, source underlay.LayerTwoID, exchange uint8) error {
	reply, err := m.auth.handshake.Feed(m.auth.in.Flight())
	m.auth.in = kei.Reassembly{}
	if err != nil {
		m.badFlight(now, source, exchange, reply, err)
		return nil
	}
	if m.auth.complete() {
		m.authenticatedByCertificate(now)
		if !m.meet() {
			m.fail(ErrNoLink)
			return nil
		}
		if err := m.letIn(); err != nil {
			m.fail(err)
			return nil
		}
	}
	m.auth.out = kei.NewOutgoing(reply)
	m.answer(now, source, exchange, false)
	return nil
}

// badFlight begins again, or at last tells B why not and ends the attempt.
func (m *Machine) badFlight(now time.Time, source underlay.LayerTwoID, exchange uint8, alert []byte, err error) {
	if m.auth.restarts < maxRestarts && m.restart(now, exchange) == nil {
		return
	}
	c := kei.Container{Method: kei.TLS13, Tag: m.auth.tag, Exchange: exchange, Failure: true, Fragment: alert}
	m.peer = source
	m.sendOnce(now, m.clear(&pc5s.DirectLinkAuthenticationFailure{SequenceNumber: m.nextSequence(), KeyEstablishmentInfo: c.AppendTo(nil)}))
	m.fail(err)
}
