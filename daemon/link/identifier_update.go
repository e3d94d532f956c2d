package link

import (
	"encoding/binary"
	"net/netip"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// maxConflicts bounds the layer-2 IDs that are tried in a row (chosen).
const maxConflicts = 4

// identifierUpdate is the privacy procedure (TS 24.554, 7.2.4): both ends get new L2 IDs and the
// context a new K_NRP-sess ID. Keys, COUNTs and windows belong to the context and stay.
type identifierUpdate struct {
	conflict int                 // initiator: rejects in a row because of the layer-2 ID
	local    underlay.LayerTwoID // ours, reserved
	msb      uint8               // initiator: its half of the new K_NRP-sess ID
	next     Name                // target: receives, not yet sent under; zero: none
	follow   bool                // initiator: the target was not heard under the new names yet
	answered answer              // target: the accept
	acked    answer              // initiator: the ack
	old      Name                // receives for the grace time; zero: none
	oldUntil time.Time
}

// former is where the peer was before its address changed with its identifiers: the way back
// when nobody answers at the new one.
type former struct {
	endpoint netip.AddrPort
	roamed   bool // it left there under the same identifiers
}

// startUpdate asks for new identifiers (TS 24.554, 7.2.4.2), sent under the old ones. The half
// that changes is fixed by who starts the update, not by who was UE_A.
func (m *Machine) startUpdate(now time.Time) {
	msb, err := m.drawOctet()
	if err != nil {
		m.fail(err)
		return
	}
	m.dropOld()
	m.procedure = UpdateInitiator
	m.update.local, m.update.msb = m.cfg.Identifiers.Reserve(), msb
	m.send(now, m.protected(&pc5s.DirectLinkIdentifierUpdateRequest{
		SequenceNumber: m.nextSequence(), SourceLayerTwoID: m.update.local, KNRPSessMSB: msb,
	}), m.cfg.Timers.T5082)
}

// receiveUpdateRequest is the target's half (7.2.4.3): from the accept on it receives under the
// new identifiers too, and sends under the old ones until the ack.
func (m *Machine) receiveUpdateRequest(now time.Time, raw []byte, msg *pc5s.DirectLinkIdentifierUpdateRequest) error {
	if m.update.answered.answers(raw) {
		return m.again(now, &m.update.answered)
	}
	if err := m.admitRequest(now); err != nil {
		return err
	}
	if msg.KNRPSessMSB == 0 {
		return DropForm
	}
	if err := m.crossing(UpdateTarget); err != nil {
		return err
	}
	if !msg.SourceLayerTwoID.Assignable() || m.cfg.Identifiers.Taken(msg.SourceLayerTwoID) {
		m.reply(now, &m.update.answered, raw, m.protected(&pc5s.DirectLinkIdentifierUpdateReject{SequenceNumber: m.nextSequence(), Cause: pc5s.CauseLayer2IDConflict}))
		return nil
	}
	lsb, err := m.drawOctet()
	if err != nil {
		m.fail(err)
		return nil
	}
	m.yield(UpdateTarget)
	m.dropOld()
	local := m.cfg.Identifiers.Reserve()
	m.expect(Name{Local: local, Peer: msg.SourceLayerTwoID, Session: keys.NewSessionID(msg.KNRPSessMSB, lsb)})
	m.procedure = UpdateTarget
	reply := m.protected(&pc5s.DirectLinkIdentifierUpdateAccept{
		SequenceNumber: m.nextSequence(), SourceLayerTwoID: local, TargetLayerTwoID: msg.SourceLayerTwoID,
		KNRPSessMSB: msg.KNRPSessMSB, KNRPSessLSB: lsb,
		TargetUserInfo: msg.SourceUserInfo, TargetLinkLocal: msg.SourceLinkLocal,
	})
	m.update.answered = answer{request: raw, reply: reply, sent: now}
	m.send(now, reply, m.cfg.Timers.T5083)
	return nil
}

// receiveUpdateAccept ends the update at the initiator (7.2.4.4). Chosen: the ack goes out under
// the new identifiers already, from the new port if there is one, so that no datagram of the
// target joins new identifiers with the old port; a PDU under them that verifies is the ack.
func (m *Machine) receiveUpdateAccept(now time.Time, raw []byte, msg *pc5s.DirectLinkIdentifierUpdateAccept) error {
	if m.update.acked.answers(raw) {
		return m.again(now, &m.update.acked)
	}
	if m.procedure != UpdateInitiator || msg.TargetLayerTwoID != m.update.local || msg.KNRPSessMSB != m.update.msb {
		return DropState
	}
	if !msg.SourceLayerTwoID.Assignable() || msg.KNRPSessLSB == 0 || m.cfg.Identifiers.Taken(msg.SourceLayerTwoID) {
		return DropForm // the target repeats it; in the end the link is released
	}
	m.expect(Name{Local: m.update.local, Peer: msg.SourceLayerTwoID, Session: keys.NewSessionID(m.update.msb, msg.KNRPSessLSB)})
	if err := m.switchNames(now, m.endpoint); err != nil {
		m.fail(err)
		return nil
	}
	m.update.follow = true
	m.reply(now, &m.update.acked, raw, m.protected(&pc5s.DirectLinkIdentifierUpdateAck{
		SequenceNumber: m.nextSequence(), TargetLayerTwoID: msg.SourceLayerTwoID, KNRPSessLSB: msg.KNRPSessLSB,
		TargetUserInfo: msg.SourceUserInfo, TargetLinkLocal: msg.SourceLinkLocal,
	}))
	m.conclude(now, nil)
	return nil
}

// receiveUpdateAck is the target's end of the update when the ack came under the old identifiers.
func (m *Machine) receiveUpdateAck(now time.Time, in arrival, msg *pc5s.DirectLinkIdentifierUpdateAck) error {
	next := m.update.next
	if m.procedure != UpdateTarget || msg.TargetLayerTwoID != next.Local || msg.KNRPSessLSB != next.Session.LSB() {
		return DropState
	}
	m.acknowledged(now, in)
	return nil
}

// receiveUpdateReject ends an update whose new L2 ID is taken at the peer; the next one draws
// another. When that does not help either, the old ones live for another T5090.
func (m *Machine) receiveUpdateReject(now time.Time, raw []byte, msg *pc5s.DirectLinkIdentifierUpdateReject) error {
	if m.procedure != UpdateInitiator {
		return DropState
	}
	m.concluded = raw
	m.dropUpdate()
	m.update.conflict++
	if msg.Cause == pc5s.CauseLayer2IDConflict && m.update.conflict < maxConflicts {
		m.wish.update = true
	} else {
		m.update.conflict = 0
		m.schedulePrivacy(now)
	}
	m.conclude(now, &RejectedError{Cause: msg.Cause})
	return nil
}

// acknowledged ends the update at the target: the ack, or any PDU under the new identifiers that
// verified. The address that it came from is the peer's. Where one of the two addresses is new, the
// keep-alive that follows proves the path by a protected answer, and shows the peer where this end is.
func (m *Machine) acknowledged(now time.Time, in arrival) {
	before := m.endpoint
	if err := m.switchNames(now, in.from); err != nil {
		m.fail(err)
		return
	}
	m.moved(before, in.from)
	m.conclude(now, nil)
	if m.former.endpoint.IsValid() || m.link.PrivatePort {
		m.requestKeepAlive(now)
	}
}

// follow takes the address of the target's first PDU under the new identifiers: it may have another
// port too.
func (m *Machine) follow(in arrival) {
	m.update.follow = false
	if in.from == m.endpoint {
		return
	}
	m.moved(m.endpoint, in.from)
	m.requestKeepAlive(in.now)
}

// moved sends to another address of the peer. The former one is kept until the new one is proved.
func (m *Machine) moved(from, to netip.AddrPort) {
	if from == to {
		return
	}
	m.path.drop()
	m.move(former{endpoint: from}, to)
}

func (m *Machine) move(from former, to netip.AddrPort) {
	m.former, m.endpoint = from, to
	m.emit(PeerMoved{Name: m.ctx.names[0], From: from.endpoint, Endpoint: to, Roamed: from.roamed})
}

// expect receives under a new name from now on.
func (m *Machine) expect(n Name) {
	m.update.next = n
	m.emit(AddName{Of: m.ctx.names[0], Name: n})
	m.ctx.alias(n)
}

// switchNames sends under the new name from now on; the old one receives for the grace time.
// The COUNT of the user plane moves forward at random, because it would join the names; and so would
// the peer's former address.
func (m *Machine) switchNames(now time.Time, endpoint netip.AddrPort) error {
	var b [4]byte
	if err := m.draw(b[:]); err != nil {
		return err
	}
	u := &m.update
	u.old, u.oldUntil = m.ctx.names[0], now.Add(m.cfg.Timers.Grace)
	m.ctx.move(u.next)
	m.local, m.peer = u.next.Local, u.next.Peer
	m.emit(UseName{From: u.old, To: u.next, Skip: m.ctx.jump(b), Endpoint: endpoint})
	u.next, u.local, u.conflict = Name{}, 0, 0
	m.schedulePrivacy(now)
	return nil
}

// dropUpdate forgets an update that did not come to its end.
func (m *Machine) dropUpdate() {
	u := &m.update
	switch {
	case u.next != Name{}:
		m.ctx.forget(u.next)
		m.emit(DropName{u.next})
	case u.local != 0:
		m.emit(DropName{Name{Local: u.local}})
	}
	u.next, u.local = Name{}, 0
}

// dropOld ends receiving under the name before the last update.
func (m *Machine) dropOld() {
	u := &m.update
	if u.old == (Name{}) {
		return
	}
	for _, c := range m.contexts() {
		c.forget(u.old)
	}
	m.emit(DropName{u.old})
	u.old, u.oldUntil = Name{}, time.Time{}
}

// schedulePrivacy starts T5090 anew, up to a quarter shorter (jitter chosen).
func (m *Machine) schedulePrivacy(now time.Time) {
	life := m.cfg.Timers.T5090
	if life == 0 {
		return
	}
	var b [8]byte
	if err := m.draw(b[:]); err != nil {
		m.fail(err)
		return
	}
	m.wish.updateAt = now.Add(life - time.Duration(binary.BigEndian.Uint64(b[:])%uint64(life/4+1)))
}

// fallBack goes back to the peer's former address when nothing answers at the new one.
func (m *Machine) fallBack() bool {
	if !m.former.endpoint.IsValid() {
		return false
	}
	m.move(former{m.endpoint, m.former.roamed}, m.former.endpoint)
	m.former = former{}
	return true
}
