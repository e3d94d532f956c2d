package link

import (
	"encoding/binary"
	"fmt"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// maxCommands bounds the commands of one run that an LSB conflict can cause (chosen).
const maxCommands = 4

// securityRun is one run of security mode control (TS 24.554, 7.2.10), of an establishment or of
// a re-keying, at either end. UE_A is the sender of the request, never "mine".
type securityRun struct {
	role         Role
	rekeying     bool
	request      []byte // from message type to last IE, as sent
	hash         [32]byte
	capabilities pc5s.Capabilities   // UE_A's, as sent
	policy       pc5s.SecurityPolicy // signalling policy that the command echoes
	nonce1       keys.Nonce
	msb          uint8

	psk *exchange // re-keying, and establishment with a kept key; nil: TLS alone

	offered []*securityContext    // UE_B: one for each command sent. UE_A: the one that verified
	refused []refusal             // UE_A: commands whose low half conflicts
	rejects []pc5s.SequenceNumber // UE_B: that told of a conflict
	budget  budget                // of commands that UE_A verifies
}

// refusal is a conflict that UE_A answered. It stays, whatever becomes of the other user of the
// half: B goes by the answer.
type refusal struct {
	session keys.SessionID
	reject  outgoing
}

// RejectedError says that one end refused the other's security parameters, with the cause that
// stands on the wire (TS 24.554, 11.3.8).
type RejectedError struct {
	Local  bool
	Cause  pc5s.Cause
	Reason string
}

func (e *RejectedError) Error() string {
	if e.Local {
		return fmt.Sprintf("refused the peer: %s: %s", e.Cause, e.Reason)
	}
	return fmt.Sprintf("peer refused: %s", e.Cause)
}

// basis is what K_NRP of a command rests on: its method, who the peer is by it, and the L2 ID that
// the command comes from.
type basis struct {
	psk      bool
	identity Peer
	peer     underlay.LayerTwoID
	shareB   [kei.ShareLen]byte // psk-dhe
}

// knrp makes K_NRP of a run, bound to everything that both ends have to agree on. The caller
// wipes it.
func (m *Machine) knrp(r *securityRun, b basis) (keys.KNRP, error) {
	ctx := m.keyContext(r, b)
	if !b.psk {
		return m.auth.handshake.ExportKNRP(ctx)
	}
	theirs := r.psk.shareA
	if r.role == RoleA {
		theirs = b.shareB
	}
	return r.psk.mine.KNRP(r.psk.psk, theirs, ctx, r.psk.shareA, b.shareB)
}

// derive makes the context of a command. K_NRP exists in here only: nobody keeps it.
func (m *Machine) derive(now time.Time, r *securityRun, on basis, p contextParameters) (c *securityContext, err error) {
	keys.Erasing(func() {
		var knrp keys.KNRP
		if knrp, err = m.knrp(r, on); err != nil {
			return
		}
		defer knrp.Wipe()
		if c, err = newSecurityContext(now, knrp, p); err == nil {
			c.kept = keys.DeriveResumptionKey(knrp)
		}
	})
	return c, err
}

// keyContext is the ctx that binds K_NRP to the request, both L2 IDs, both names and, where
// certificates were shown in this run, both keys.
func (m *Machine) keyContext(r *securityRun, of basis) []byte {
	a, b, layerTwoA, layerTwoB := m.cfg.Auth.Local(), of.identity, m.local, of.peer
	if r.role == RoleB {
		a, b, layerTwoA, layerTwoB = b, a, layerTwoB, layerTwoA
	}
	method := methodTLS13
	if of.psk {
		method = methodPSKDHE
	}
	ctx := make([]byte, 0, 512)
	ctx = appendField(ctx, "pc5d/1")
	ctx = appendField(ctx, method)
	ctx = appendField(ctx, r.hash[:])
	ctx = appendLayerTwo(ctx, layerTwoA)
	ctx = appendLayerTwo(ctx, layerTwoB)
	ctx = appendField(ctx, a.Name)
	ctx = appendField(ctx, b.Name)
	if !of.psk {
		ctx = appendField(ctx, a.Fingerprint[:])
		ctx = appendField(ctx, b.Fingerprint[:])
	}
	return ctx
}

// appendField appends a field with its length.
func appendField[F string | []byte](ctx []byte, field F) []byte {
	ctx = binary.BigEndian.AppendUint16(ctx, uint16(len(field)))
	return append(ctx, field...)
}

func appendLayerTwo(ctx []byte, id underlay.LayerTwoID) []byte {
	return appendField(ctx, []byte{byte(id >> 16), byte(id >> 8), byte(id)})
}

// agree writes down what a context of a run stands for.
func (m *Machine) agree(r *securityRun, c *securityContext) {
	local := m.cfg.Auth.Local()
	if m.proof == ByPreSharedKey { // it is the one key of both ends
		local.Fingerprint = m.identity.Fingerprint
	}
	c.agreement = Agreement{
		Proof: m.proof, A: local, B: m.identity, RequestHash: r.hash, Session: c.names[0].Session, LayerTwoA: m.local, LayerTwoB: m.peer,
		Ciphering: c.ciphering, Integrity: c.integrity, Suite: c.suite, SignallingRequest: r.policy,
		UserPlane: m.agreement.UserPlane, UserPlaneRequest: m.agreement.UserPlaneRequest,
	}
	if r.role == RoleB {
		a := &c.agreement
		a.A, a.B, a.LayerTwoA, a.LayerTwoB = a.B, a.A, a.LayerTwoB, a.LayerTwoA
	}
}

// builtForm refuses what is not built: signalling without integrity, which has no keys and so no
// protected user data either.
func builtForm(i nea.Integrity) error {
	if i == nea.NIA0 {
		return fmt.Errorf("signalling without integrity is not built, also where allow_null is written: set signalling.integrity to preferred or required at both ends")
	}
	return nil
}

// sameForm refuses a re-keying that would change the form of user data, or end its ciphering: both are
// fixed for the life of a link.
func (m *Machine) sameForm(r *securityRun, s suite.ID, c nea.Ciphering) error {
	switch {
	case !r.rekeying:
		return nil
	case (s == suite.None) != (m.agreement.Suite == suite.None):
		return fmt.Errorf("a re-keying can not change the form of user data")
	case s == suite.None && c == nea.NEA0 && m.agreement.UserPlane.Ciphering:
		return fmt.Errorf("a re-keying can not end the ciphering of user data, which %s would", c)
	}
	return nil
}

// dropRun forgets a run that did not come to its end, with the keys that it made.
func (m *Machine) dropRun() {
	if m.run == nil {
		return
	}
	for _, c := range m.run.offered {
		if c != m.ctx {
			m.dropContext(c)
		}
	}
	m.run.psk.wipe()
	m.run = nil
}

// dropContext ends a context for good.
func (m *Machine) dropContext(c *securityContext) {
	if c == nil || c.dead {
		return
	}
	m.emit(RemoveUserPlane{c.names[0]})
	c.wipe()
}

// choose picks by this end's own order among what A offered (T04).
func (m *Machine) choose(r *securityRun) (pc5s.SelectedAlgorithms, suite.ID, error) {
	offer := r.capabilities
	c, i, err := policy.ChooseSignalling(m.link.Signalling, policy.Offer{Ciphering: offer.Supports, Integrity: offer.SupportsIntegrity}, policy.Protection(r.policy))
	if err != nil {
		return pc5s.SelectedAlgorithms{}, suite.None, err
	}
	s, err := policy.ChooseSuite(m.link.UserPlane, offer.Offers)
	if err == nil {
		err = m.sameForm(r, s, c)
	}
	if err == nil {
		err = builtForm(i)
	}
	return pc5s.SelectedAlgorithms{Ciphering: c, Integrity: i}, s, err
}
