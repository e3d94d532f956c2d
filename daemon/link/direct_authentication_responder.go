package link

import (
	"crypto/sha256"
	"errors"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// respond starts B's half with the response that brought a valid cookie.
func (m *Machine) respond(now time.Time, admitted *Admitted) error {
	h, err := m.server()
	if err != nil {
		return err
	}
	m.auth = authentication{handshake: h, tag: kei.Tag(m.run.request)}
	m.setState(Auth)
	return m.welcome(now, admitted)
}

// welcome takes the first fragment of a handshake.
func (m *Machine) welcome(now time.Time, admitted *Admitted) error {
	m.auth.heard = sha256.Sum256(admitted.Container.Fragment)
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
	if m.heardBefore(admitted) {
		return m.repeat(now)
	}
	if m.auth.restarts >= maxRestarts {
		return DropConversation
	}
	h, err := m.server()
	if err != nil {
		m.fail(err)
		return nil
	}
	m.auth.handshake.Close()
	m.auth.handshake, m.auth.restarts = h, m.auth.restarts+1
	m.auth.out, m.auth.in = kei.Outgoing{}, kei.Reassembly{}
	return m.welcome(now, admitted)
}

// Restarts tells whether Readmit would begin a handshake, which its owner may want to count.
func (m *Machine) Restarts(admitted *Admitted) bool {
	return m.role == RoleB && m.state == Auth && admitted.Container != nil && m.auth.restarts < maxRestarts && !m.heardBefore(admitted)
}

// heardBefore tells whether a first fragment came before.
func (m *Machine) heardBefore(admitted *Admitted) bool {
	return sha256.Sum256(admitted.Container.Fragment) == m.auth.heard
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
