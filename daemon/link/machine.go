package link

import (
	"crypto/sha256"
	"errors"
	"net/netip"
	"time"

	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
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
	link     Link  // zero at a responder until the peer is authenticated
	role     Role  // in the establishment
	state    State // changed only by setState
	local    underlay.LayerTwoID
	peer     underlay.LayerTwoID // Broadcast until the responder's first message with state
	endpoint netip.AddrPort
	identity Peer // the peer, once authenticated
	pin      Pin  // of a peer that was let in and has not proved its keys yet

	proof          Proof     // of the peer
	authenticated  time.Time // last full authentication of the peer
	certificateEnd time.Time // of the peer; zero: none

	proved    bool // a responder's: a cookie proved the peer's address
	parsed    *pc5s.DirectLinkEstablishmentRequest
	peerLocal netip.Addr
	sequence  pc5s.SequenceNumber
	clearSN   uint16
	auth      authentication
	run       *securityRun   // security mode control under way
	retry     retransmission // of the establishment, the release, or the procedure
	deadline  time.Time      // of a half-open responder, of an initiator's handshake, of a release
	hint      error          // last unauthenticated refusal
	hints     int            // told of so far
	failed    error

	ctx       *securityContext // sends and receives
	old       *securityContext // receives for the grace time after a re-keying
	oldUntil  time.Time
	agreement Agreement

	procedure    Procedure // inside ESTABLISHED
	wish         wishes
	update       identifierUpdate
	former       former
	path         path
	releaseMSBs  uint16                              // of the K_NRP ID that ours proposes
	modification *pc5s.DirectLinkModificationRequest // ours
	modified     answer                              // to the peer's
	concluded    received                            // what ended the last procedure of this end
	alive        keepAlive
	bucket       bucket // of the peer's requests

	out []Effect
}

// NewInitiator makes a machine of role A towards a known endpoint. Call Start next.
func NewInitiator(cfg Config, l Link, endpoint netip.AddrPort) *Machine {
	cfg.Timers = l.Pace.apply(cfg.Timers)
	return &Machine{cfg: cfg, link: l, role: RoleA, local: cfg.Local, peer: underlay.Broadcast, endpoint: endpoint}
}

// NewResponder makes a machine of role B from what Admission let in: an authentication response
// whose address is validated, or a request that proved a kept key.
func NewResponder(now time.Time, cfg Config, admitted *Admitted) (*Machine, error) {
	m := &Machine{
		cfg: cfg, role: RoleB, local: cfg.Local, peer: admitted.Source, endpoint: admitted.From, proved: admitted.Proved,
		parsed: admitted.Parsed, deadline: after(now, cfg.Timers.HalfOpen),
	}
	m.run = &securityRun{
		role: RoleB, request: admitted.Request, hash: sha256.Sum256(admitted.Request),
		capabilities: m.parsed.Capabilities, policy: m.parsed.SecurityPolicy, nonce1: keys.Nonce(*m.parsed.Nonce1), msb: *m.parsed.KNRPSessMSB,
	}
	if admitted.Kept != nil {
		return m, m.respondKept(now, admitted)
	}
	return m, m.respond(now, admitted)
}

// respondKept commands at once: the request proved the key.
func (m *Machine) respondKept(now time.Time, admitted *Admitted) error {
	mine, err := pskdhe.New()
	if err != nil {
		admitted.Wipe()
		return err
	}
	k := *admitted.Kept
	m.run.psk = newExchange(mine, k, admitted.ShareA, mine.Share())
	m.authenticatedBy(now, m.run.psk)
	m.emit(Exchanged{Message: admitted.message(), Bearer: underlay.SRB0, Protection: "none", Octets: admitted.Octets})
	m.offer(now)
	return nil
}

// Advance fires what is due. Calls before Deadline are harmless.
func (m *Machine) Advance(now time.Time) {
	if m.state == Released {
		return
	}
	if due(m.deadline, now) {
		m.expire()
		return
	}
	if due(m.retry.at, now) {
		m.repeatDue(now)
	}
	if due(m.oldUntil, now) {
		m.dropContext(m.old)
		m.old, m.oldUntil = nil, time.Time{}
	}
	if due(m.update.oldUntil, now) {
		m.dropOld()
	}
	if m.state == Established {
		m.advanceCertificates(now)
	}
	if m.state == Established {
		m.advancePath(now)
	}
	if m.state == Established {
		m.advanceKeepAlive(now)
	}
	if m.state == Established {
		m.settle(now)
	}
}

// repeatDue repeats the last message, or follows its last repetition.
func (m *Machine) repeatDue(now time.Time) {
	switch {
	case !m.retry.exhausted():
		m.retry.next(now)
		m.retry.sent = now
		m.transmit(m.retry.last)
	case m.state == Established:
		m.unanswered(now)
	default:
		m.expire()
	}
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
	if m.state == Released {
		return time.Time{}
	}
	return earliest(m.deadline, m.retry.at, m.oldUntil, m.update.oldUntil, m.keepAliveDeadline(), m.keysDeadline(), m.wishDeadline(), m.certificatesDeadline())
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
func (m *Machine) Nonce1() keys.Nonce { return keys.Nonce(*m.parsed.Nonce1) }

// Running returns the procedure that runs inside ESTABLISHED.
func (m *Machine) Running() Procedure { return m.procedure }

// Agreement returns what was agreed; it is complete when the state is Established.
func (m *Machine) Agreement() Agreement { return m.agreement }

// mostEffects is room for what one input brings in all but rare cases.
const mostEffects = 8

func (m *Machine) emit(e Effect) {
	if m.out == nil {
		m.out = make([]Effect, 0, mostEffects)
	}
	m.out = append(m.out, e)
}

// setState changes the state, emits the one event, and runs the entry actions.
func (m *Machine) setState(s State) {
	if m.state == s {
		return
	}
	from := m.state
	m.state = s
	switch s {
	case Established:
		m.emit(WatchPath{})
		m.deadline = time.Time{}
		m.retry.stop()
		m.auth.close()
	case Released:
		m.deadline = time.Time{}
		m.retry.stop()
		m.auth.close()
		m.dropRun()
		m.dropUpdate()
		m.dropOld()
		m.dropContext(m.old)
		m.dropContext(m.ctx)
	}
	m.emit(StateChanged{From: from, To: s})
}

// fail ends the machine at once; err says why.
func (m *Machine) fail(err error) {
	m.failed = err
	m.setState(Released)
}
