package link

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

const (
	maxCookies    = 8  // new cookies that A accepts in one attempt
	maxRestarts   = 8  // handshakes that a bad flight may cost in one attempt
	maxRoundTrips = 24 // of one handshake
)

// ErrNoLink says that the authenticated peer, who answered a request to everybody, gets no link.
var ErrNoLink = errors.New("no link to the peer is provisioned for the requested service, or it has one")

// ErrEndless says that a handshake took more round trips than any needs (T33).
var ErrEndless = errors.New("peer sent an endless handshake")

// authentication is one run of Direct Authentication and Key Establishment (TS 24.554, 7.2.12):
// authentication requests of B and responses of A alternate, and each carries a fragment of its
// sender's flight or only acknowledges one.
type authentication struct {
	handshake Handshake
	tag       [8]byte
	exchange  uint8 // A: of the last request answered. B: of the request outstanding
	cookie    []byte
	cookies   int
	first     []byte   // A's first flight, which it sends again with each new cookie
	welcomed  [32]byte // B: SHA-256 of the first fragment that it took
	restarts  int
	begun     uint8 // exchange at the handshake's start
	out       kei.Outgoing
	in        kei.Reassembly
}

func (a *authentication) close() {
	if a.handshake != nil {
		a.handshake.Close()
	}
	*a = authentication{}
}

func (a *authentication) complete() bool { return a.handshake != nil && a.handshake.Complete() }

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
	h, err := m.cfg.Auth.Initiate(m.link.Peer, m.link.Pins)
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

// container makes the next container of this end's conversation.
func (m *Machine) container(ack bool) []byte {
	c := kei.Container{Method: kei.TLS13, Tag: m.auth.tag, Exchange: m.auth.exchange, AckOnly: ack}
	if !ack {
		m.auth.out.Fill(&c)
	}
	return c.AppendTo(nil)
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
	}
	m.auth.out = kei.NewOutgoing(reply)
	m.answer(now, source, exchange, false)
	return nil
}

// authenticatedByCertificate notes who the peer is once the handshake has succeeded.
func (m *Machine) authenticatedByCertificate(now time.Time) {
	m.identity, m.authenticated, m.proof = m.auth.handshake.Peer(), now, ByCertificate
	m.certificateEnd = m.auth.handshake.CertificateEnd()
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

// respond starts B's half with the response that brought a valid cookie.
func (m *Machine) respond(now time.Time, admitted *Admitted) error {
	h, err := m.cfg.Auth.Respond()
	if err != nil {
		return err
	}
	m.auth = authentication{handshake: h, tag: kei.Tag(m.run.request)}
	m.setState(Auth)
	return m.welcome(now, admitted)
}

// welcome takes the first fragment of a handshake.
func (m *Machine) welcome(now time.Time, admitted *Admitted) error {
	m.auth.welcomed = sha256.Sum256(admitted.Container.Fragment)
	m.auth.exchange = max(m.auth.exchange, admitted.Container.Exchange)
	m.auth.begun = m.auth.exchange
	m.emit(Exchanged{Message: pc5s.MessageDirectLinkAuthenticationResponse, Bearer: underlay.SRB0, Protection: "none", Octets: admitted.Octets})
	return m.takeFragment(now, admitted.Container)
}

// Readmit takes a first flight of a conversation that is under way: a repeated one, or the one of
// an initiator that begins again because it got a bad flight (T12).
func (m *Machine) Readmit(now time.Time, admitted *Admitted) error {
	defer admitted.Wipe() // the machine has the key already
	if admitted.Kept != nil && m.role == RoleB && m.state == SecurityMode {
		return m.repeat(now)
	}
	if m.role != RoleB || m.state != Auth || admitted.Container == nil {
		return DropState
	}
	if sha256.Sum256(admitted.Container.Fragment) == m.auth.welcomed {
		return m.repeat(now)
	}
	if m.auth.restarts >= maxRestarts {
		return DropConversation
	}
	h, err := m.cfg.Auth.Respond()
	if err != nil {
		m.fail(err)
		return nil
	}
	m.auth.handshake.Close()
	m.auth.handshake, m.auth.restarts = h, m.auth.restarts+1
	m.auth.out, m.auth.in = kei.Outgoing{}, kei.Reassembly{}
	return m.welcome(now, admitted)
}

// receiveAuthenticationResponse is B's half.
func (m *Machine) receiveAuthenticationResponse(now time.Time, msg *pc5s.DirectLinkAuthenticationResponse) error {
	c, err := kei.Parse(msg.KeyEstablishmentInfo)
	if err != nil {
		return DropContainer
	}
	if c.Method != kei.TLS13 || c.Tag != kei.Tag(m.run.request) || c.Failure || c.Start {
		return DropConversation
	}
	if m.state == SecurityMode && !c.AckOnly {
		return m.repeat(now)
	}
	if m.state != Auth {
		return DropState
	}
	if c.Exchange+1 == m.auth.exchange {
		return m.repeat(now)
	}
	if c.Exchange != m.auth.exchange {
		return DropConversation
	}
	if !c.AckOnly {
		return m.takeFragment(now, c)
	}
	if m.auth.out.Done() {
		return DropConversation
	}
	m.ask(now, false)
	return nil
}

// takeFragment adds A's fragment and goes on: acknowledge, send B's flight, or command.
func (m *Machine) takeFragment(now time.Time, c *kei.Container) error {
	if !m.auth.out.Done() {
		return DropConversation
	}
	whole, err := m.auth.in.Add(c)
	if err != nil {
		return DropContainer
	}
	if !whole {
		m.ask(now, true)
		return nil
	}
	reply, err := m.auth.handshake.Feed(m.auth.in.Flight())
	m.auth.in = kei.Reassembly{}
	if err != nil {
		m.rejectAuthentication(now, err)
		return nil
	}
	if m.auth.complete() {
		m.command(now)
		return nil
	}
	m.auth.out = kei.NewOutgoing(reply)
	m.ask(now, false)
	return nil
}

// ask sends B's next authentication request.
func (m *Machine) ask(now time.Time, ack bool) {
	if m.auth.exchange-m.auth.begun >= maxRoundTrips {
		m.fail(ErrEndless)
		return
	}
	m.auth.exchange++
	m.send(now, m.clear(&pc5s.DirectLinkAuthenticationRequest{SequenceNumber: m.nextSequence(), KeyEstablishmentInfo: m.container(ack)}), m.cfg.Timers.T5092)
}

// rejectAuthentication ends B's half. An alert of the peer is answered by silence.
func (m *Machine) rejectAuthentication(now time.Time, err error) {
	var refused *PeerRefusedError
	if !errors.As(err, &refused) {
		m.sendOnce(now, m.clear(&pc5s.DirectLinkAuthenticationReject{SequenceNumber: m.nextSequence(), Cause: pc5s.CauseAuthenticationFailure}))
	}
	m.fail(err)
}
