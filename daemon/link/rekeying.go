package link

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

const methodPSKDHE = "psk-dhe"

// startRekeying makes this end UE_A of a re-keying (TS 24.554, 7.2.11.2): new K_NRP, new
// K_NRP-sess, by psk-dhe from the link's resumption key. Extension: the method.
func (m *Machine) startRekeying(now time.Time) {
	x, err := pskdhe.New()
	if err != nil {
		m.fail(err)
		return
	}
	r := &securityRun{
		role: RoleA, rekeying: true, policy: m.agreement.SignallingRequest, capabilities: capabilities(m.link),
		psk: &exchange{mine: x, psk: m.ctx.kept.Secret, borrowed: true, shareA: x.Share()},
	}
	if err := m.drawRequest(r); err != nil {
		m.fail(err)
		return
	}
	if r.request, err = m.rekeyingRequest(r); err != nil {
		m.fail(err)
		return
	}
	r.hash = sha256.Sum256(r.request)
	m.run, m.procedure = r, RekeyingA
	m.send(now, outgoing{message: r.request, kind: pc5s.MessageDirectLinkRekeyingRequest, bearer: underlay.SRB2, ctx: m.ctx}, m.cfg.Timers.T5091)
}

// rekeyingRequest makes the request with its binder, which is over the request itself.
func (m *Machine) rekeyingRequest(r *securityRun) ([]byte, error) {
	nonce := [16]byte(r.nonce1)
	offer := kei.Offer{Methods: []kei.Method{kei.PSKDHE}, Share: &r.psk.shareA, Binder: &[kei.ProofLen]byte{}}
	msg := &pc5s.DirectLinkRekeyingRequest{
		SequenceNumber: m.nextSequence(), Capabilities: r.capabilities,
		KeyEstablishmentInfo: offer.AppendTo(nil), Nonce1: &nonce, KNRPSessMSB: &r.msb,
	}
	binder, err := pskdhe.Binder(m.ctx.kept.Secret, m.cfg.Auth.Local().Name, m.identity.Name, pc5s.Marshal(msg))
	if err != nil {
		return nil, err
	}
	offer.Binder = &binder
	msg.KeyEstablishmentInfo = offer.AppendTo(nil)
	return pc5s.Marshal(msg), nil
}

// receiveRekeyingRequest makes this end UE_B of a re-keying (TS 24.554, 7.2.11.3).
func (m *Machine) receiveRekeyingRequest(now time.Time, raw []byte, msg *pc5s.DirectLinkRekeyingRequest) error {
	if m.procedure == RekeyingB && bytes.Equal(raw, m.run.request) {
		return m.repeat(now)
	}
	if now.Before(m.wish.rekeyAt) && m.procedure != RekeyingA {
		return DropRate // the peer repeats it until its time has come (T35)
	}
	if err := m.admitRequest(now); err != nil {
		return err
	}
	if err := m.crossing(RekeyingB); err != nil {
		return err
	}
	r, err := m.judgeRekeying(raw, msg)
	if err != nil {
		return err
	}
	m.yield(RekeyingB)
	m.run = r
	if err := m.sendCommand(now); err != nil {
		m.dropRun()
		return DropLimit
	}
	m.wish.rekey = false
	m.procedure = RekeyingB
	return nil
}

// judgeRekeying checks a request and makes this end's half of the exchange.
func (m *Machine) judgeRekeying(raw []byte, msg *pc5s.DirectLinkRekeyingRequest) (*securityRun, error) {
	if msg.Nonce1 == nil || msg.KNRPSessMSB == nil || *msg.KNRPSessMSB == 0 || m.msbInUse(*msg.KNRPSessMSB) {
		return nil, DropForm
	}
	offer, err := kei.ParseOffer(msg.KeyEstablishmentInfo)
	if err != nil || offer.Share == nil || offer.Binder == nil {
		return nil, DropContainer
	}
	if err := m.checkBinder(raw, offer); err != nil {
		return nil, err
	}
	r := &securityRun{
		role: RoleB, rekeying: true, request: raw, hash: sha256.Sum256(raw), capabilities: msg.Capabilities,
		policy: m.agreement.SignallingRequest, nonce1: keys.Nonce(*msg.Nonce1), msb: *msg.KNRPSessMSB,
	}
	if _, _, err := m.choose(r); err != nil {
		return nil, DropForm // nothing in common: the peer's request stays unanswered
	}
	x, err := pskdhe.New()
	if err != nil {
		return nil, DropLimit
	}
	r.psk = &exchange{mine: x, psk: m.ctx.kept.Secret, borrowed: true, shareA: *offer.Share, shareB: x.Share()}
	return r, nil
}

// checkBinder tells whether the peer has the same resumption key.
func (m *Machine) checkBinder(raw []byte, offer *kei.Offer) error {
	blank := bytes.Clone(raw)
	msg, err := pc5s.Parse(blank)
	if err != nil {
		return DropMalformed
	}
	kei.BlankProofs(msg.(*pc5s.DirectLinkRekeyingRequest).KeyEstablishmentInfo)
	want, err := pskdhe.Binder(m.ctx.kept.Secret, m.identity.Name, m.cfg.Auth.Local().Name, blank)
	if err != nil || !hmac.Equal(want[:], offer.Binder[:]) {
		return DropUnverified
	}
	return nil
}

// switchKeys makes a context the sending one; the old one receives until the grace time after the
// end of the re-keying, and a third one ends the oldest.
func (m *Machine) switchKeys(c *securityContext) {
	m.dropContext(m.old)
	m.old, m.oldUntil = m.ctx, time.Time{}
	m.ctx = c
	m.agreement = c.agreement
	m.emit(ActivateUserPlane{c.names[0]})
}

// rekeyed ends a re-keying at both ends; nothing goes on under the old keys but what is late.
func (m *Machine) rekeyed(now time.Time) {
	m.run = nil
	m.old.kept.Wipe()
	m.oldUntil = now.Add(m.cfg.Timers.Grace)
	m.wish.rekeyAt = now.Add(m.cfg.Timers.RekeyMin)
	m.wish.rekey = false
	m.emit(Agreed{Agreement: m.agreement, Endpoint: m.endpoint, Rekeying: true, Authenticated: m.authenticated})
	m.conclude(now, nil)
}

// Exhausting says that the user plane's keys of a context are at a soft limit: they are replaced,
// however often that has to be tried (T55). It may be said of keys that do not send yet: who delays the message that
// makes them do can spend their limit meanwhile. An older context ends by itself.
func (m *Machine) Exhausting(now time.Time, n Name) {
	c := m.named(n)
	if c == nil || c == m.old {
		return
	}
	c.worn = true
	if m.state == Established {
		m.settle(now)
	}
}

// advanceKeys replaces keys that are old or used up, and ends a link whose keys could not be
// replaced in time (T55).
func (m *Machine) advanceKeys(now time.Time) {
	t := &m.cfg.Timers
	switch {
	case m.state != Established:
	case due(after(m.ctx.made, t.KeyEnd), now):
		m.failed = ErrKeyEnd
		m.release(now, pc5s.CauseConnectionNotAvailable)
	case m.procedure == NoProcedure && (m.ctx.exhausting() || due(after(m.ctx.made, t.RekeyEvery), now)):
		m.wish.rekey = true
	}
	if due(m.wish.updateAt, now) { // T5090
		m.wish.updateAt = time.Time{}
		m.wish.rekey, m.wish.update = true, true
	}
}

// keysDeadline is when advanceKeys has something to do.
func (m *Machine) keysDeadline() time.Time {
	if m.state != Established {
		return time.Time{}
	}
	soft := after(m.ctx.made, m.cfg.Timers.RekeyEvery)
	if m.procedure != NoProcedure || m.wish.rekey {
		soft = time.Time{}
	}
	return earliest(soft, after(m.ctx.made, m.cfg.Timers.KeyEnd), m.wish.updateAt)
}
