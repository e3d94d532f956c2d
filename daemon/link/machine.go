package link

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
)

// ErrTimeout says that the peer did not answer in time.
var ErrTimeout = errors.New("the peer did not answer: check its address, the path and that pc5d runs there")

// Machine is one PC5 unicast link, from the first message to the last. It does no I/O and is
// not safe for concurrent use.
//
// Errors of Receive are of type Drop: the input was dropped and left no trace. Whether the
// machine itself has come to its end is told by State() == Released, and why by Failed.
type Machine struct {
	cfg      Config
	link     Link // zero at a responder until the peer is authenticated
	role     Role
	state    State // changed only by setState
	local    underlay.LayerTwoID
	peer     underlay.LayerTwoID // Broadcast until the responder's first message with state
	endpoint netip.AddrPort

	request     []byte // the establishment request, as sent
	requestHash [32]byte
	parsed      *pc5s.DirectLinkEstablishmentRequest
	nonce1      keys.Nonce

	sequence  pc5s.SequenceNumber
	clearSN   uint16
	auth      authentication
	ctx       *securityContext
	agreement Agreement
	retry     retransmission
	deadline  time.Time // of a half-open responder; zero: none
	hint      error     // last unauthenticated refusal
	failed    error
	peerLocal netip.Addr

	resumption keys.ResumptionKey // kept under knrpID while the link lives
	knrpID     keys.KNRPID
	out        []Effect
}

// NewInitiator makes a machine of role A towards a known endpoint. Call Start next.
func NewInitiator(cfg Config, l Link, endpoint netip.AddrPort) *Machine {
	return &Machine{cfg: cfg, link: l, role: RoleA, local: cfg.Local, peer: underlay.Broadcast, endpoint: endpoint}
}

// NewResponder makes a machine of role B from an authentication response that Admission let
// in; its address is validated.
func NewResponder(now time.Time, cfg Config, admitted *Admitted) (*Machine, error) {
	m := &Machine{
		cfg: cfg, role: RoleB, local: cfg.Local, peer: admitted.Source, endpoint: admitted.From,
		request: admitted.Request, requestHash: sha256.Sum256(admitted.Request), parsed: admitted.Parsed,
		nonce1: keys.Nonce(*admitted.Parsed.Nonce1), deadline: now.Add(cfg.Timers.Deadline),
	}
	if err := m.respond(now, admitted); err != nil {
		return nil, err
	}
	return m, nil
}

// Receive takes one datagram from the network.
func (m *Machine) Receive(now time.Time, from netip.AddrPort, datagram []byte) error {
	if m.state == Released {
		return DropState
	}
	h, pdu, err := underlay.Parse(datagram)
	if err != nil {
		return DropMalformed
	}
	if h.Destination != m.local {
		return DropNotForUs
	}
	switch {
	case h.LCID == underlay.SRB0 && h.Form == underlay.FormPDCP:
		return m.receiveClear(now, from, h, pdu, len(datagram))
	case h.LCID == underlay.SRB1 && h.Form == underlay.FormPDCP:
		return m.receiveSRB1(now, from, h, pdu, len(datagram))
	case h.LCID == underlay.SRB2:
		return m.receiveSRB2(now, h, datagram, pdu)
	}
	return DropForm
}

// receiveClear takes a message that nothing protects: it can only be part of the first steps.
func (m *Machine) receiveClear(now time.Time, from netip.AddrPort, h underlay.Header, pdu []byte, octets int) error {
	if from != m.endpoint {
		return DropNotForUs
	}
	_, sdu, err := pdcp.ParseUnprotected(pdu)
	if err != nil {
		return DropMalformed
	}
	msg, err := pc5s.Parse(sdu)
	if err != nil {
		return DropMalformed
	}
	before := len(m.out)
	if err := m.handleClear(now, h, msg); err != nil {
		return err
	}
	m.out = slices.Insert(m.out, before, Effect(Exchanged{Message: msg.Type(), Bearer: underlay.SRB0, Protection: "none", Octets: octets}))
	return nil
}

func (m *Machine) handleClear(now time.Time, h underlay.Header, msg pc5s.Message) error {
	switch msg := msg.(type) {
	case *pc5s.DirectLinkAuthenticationRequest:
		if m.role == RoleA {
			return m.receiveAuthenticationRequest(now, h.Source, msg)
		}
	case *pc5s.DirectLinkAuthenticationResponse:
		if m.role == RoleB && h.Source == m.peer {
			return m.receiveAuthenticationResponse(now, msg)
		}
	case *pc5s.DirectLinkEstablishmentReject:
		if m.role == RoleA {
			return m.refusedInClear(msg.Type(), msg.Cause)
		}
	case *pc5s.DirectLinkAuthenticationReject:
		if m.role == RoleA {
			return m.refusedInClear(msg.Type(), msg.Cause)
		}
	case *pc5s.DirectLinkAuthenticationFailure:
		if m.role == RoleB {
			return m.refusedInClear(msg.Type(), pc5s.CauseAuthenticationFailure)
		}
	case *pc5s.DirectLinkSecurityModeReject:
		if m.role == RoleB {
			return m.refusedInClear(msg.Type(), msg.Cause)
		}
	}
	return DropState
}

// refusedInClear records a refusal that anyone could have sent: a valid message in the same
// procedure still wins (T11).
func (m *Machine) refusedInClear(t pc5s.MessageType, cause pc5s.Cause) error {
	if m.state >= Established {
		return DropState
	}
	m.hint = &PeerRefusedError{Local: m.cfg.Auth.Local(), Reason: t.String() + ": " + cause.String()}
	m.emit(Hint{Err: m.hint})
	return DropHint
}

// Advance fires what is due. Calls before Deadline are harmless.
func (m *Machine) Advance(now time.Time) {
	if m.state == Released {
		return
	}
	if !m.deadline.IsZero() && !now.Before(m.deadline) {
		m.expire()
		return
	}
	if !m.retry.due(now) {
		return
	}
	if m.retry.exhausted(m.cfg.Timers) {
		m.expire()
		return
	}
	m.retry.next(now, m.cfg.Timers)
	m.transmit(now, m.retry.last)
}

// expire ends what nothing authentic answered: a release is over all the same, an attempt has
// failed, with the last unauthenticated refusal as the likely reason.
func (m *Machine) expire() {
	switch {
	case m.state == Releasing:
		m.setState(Released)
	case m.hint != nil:
		m.fail(m.hint)
	default:
		m.fail(ErrTimeout)
	}
}

// Deadline tells when Advance wants to be called; zero: nothing pending.
func (m *Machine) Deadline() time.Time {
	if m.deadline.IsZero() || (!m.retry.at.IsZero() && m.retry.at.Before(m.deadline)) {
		return m.retry.at
	}
	return m.deadline
}

// Next returns the next effect; pull until false after every call into the machine.
func (m *Machine) Next() (Effect, bool) {
	if len(m.out) == 0 {
		m.out = nil
		return nil, false
	}
	e := m.out[0]
	m.out = m.out[1:]
	return e, true
}

// Failed returns why the machine was released, nil for an orderly release.
func (m *Machine) Failed() error { return m.failed }

// State returns the state of the link.
func (m *Machine) State() State { return m.state }

// Role returns this end's part in the establishment.
func (m *Machine) Role() Role { return m.role }

// LayerTwoIDs returns the own and the peer's L2 ID; the peer's is Broadcast until known.
func (m *Machine) LayerTwoIDs() (local, peer underlay.LayerTwoID) { return m.local, m.peer }

// Nonce1 returns the initiator's nonce, which settles crossing attempts.
func (m *Machine) Nonce1() keys.Nonce { return m.nonce1 }

// Agreement returns what was agreed; it is complete when the state is Established.
func (m *Machine) Agreement() Agreement { return m.agreement }

func (m *Machine) emit(e Effect) { m.out = append(m.out, e) }

// setState changes the state, emits the one event, and runs the entry actions.
func (m *Machine) setState(s State) {
	if m.state == s {
		return
	}
	from := m.state
	m.state = s
	switch s {
	case Established:
		m.deadline = time.Time{}
		m.retry.stop()
		m.auth.close()
	case Released:
		m.deadline = time.Time{}
		m.retry.stop()
		m.auth.close()
		if m.ctx != nil {
			m.emit(RemoveUserPlane{Session: m.ctx.session, Local: m.local, Peer: m.peer})
			m.ctx.wipe()
		}
		m.resumption.Wipe()
	}
	m.emit(StateChanged{From: from, To: s})
}

// fail ends the machine at once; err says why.
func (m *Machine) fail(err error) {
	m.failed = err
	m.setState(Released)
}

// keyContext is the ctx that binds K_NRP to the request, both L2 IDs, both names and both keys
// (A is the sender of the request, never "mine").
func (m *Machine) keyContext(a, b Peer) []byte {
	ctx := make([]byte, 0, 256)
	for _, field := range [][]byte{
		[]byte("pc5d/1"), []byte("tls13"), m.requestHash[:], layerTwo(m.layerTwoA()), layerTwo(m.layerTwoB()),
		[]byte(a.Name), []byte(b.Name), a.Fingerprint[:], b.Fingerprint[:],
	} {
		ctx = binary.BigEndian.AppendUint16(ctx, uint16(len(field)))
		ctx = append(ctx, field...)
	}
	return ctx
}

func layerTwo(id underlay.LayerTwoID) []byte {
	return []byte{byte(id >> 16), byte(id >> 8), byte(id)}
}

func (m *Machine) layerTwoA() underlay.LayerTwoID {
	if m.role == RoleA {
		return m.local
	}
	return m.peer
}

func (m *Machine) layerTwoB() underlay.LayerTwoID {
	if m.role == RoleA {
		return m.peer
	}
	return m.local
}
