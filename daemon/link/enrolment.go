package link

import (
	"bytes"
	"crypto/hmac"
	"errors"
	"fmt"
	"slices"
	"time"

	"pc5d/daemon/auth/invite"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/policy"
)

// Enrolment lets in peers whose key is not pinned yet: by an invite, or at their first use. Its
// methods must not block for long, but for what Pin writes to the disk.
type Enrolment interface {
	// Invites tells whether an invite is open at all: else no unknown key gets through a handshake
	// by one.
	Invites() bool
	// Admit finds the link of a peer that has shown its key and is pinned for none. proves tells
	// whether the peer's request proves the secret of an invite; nil: it has no proof.
	Admit(peer Peer, service string, proves func(secret keys.Secret) bool) (Link, Pin, bool)
}

// Pin pins the key of the peer that was admitted, for good; what the invite was good for is used up.
// It is called once the peer's first MAC has verified. An error means that the peer gets no link:
// somebody else was faster, or it could not be written down.
type Pin func() error

// errUnknownKey says that a key has no link and is not let into one.
var errUnknownKey = errors.New("no link to it is provisioned, and its request proves no open invite")

// invited tells whether the request brought the proof of an invite, which is not checked yet.
func (m *Machine) invited() *[kei.ProofLen]byte {
	offer, err := kei.ParseOffer(m.parsed.KeyEstablishmentInfo)
	if err != nil {
		return nil
	}
	return offer.Invite
}

// server makes B's half of a handshake. A key that is not pinned gets through it only where an invite
// is open and the request brought a proof; the proof binds the key, so it is checked afterwards (T41).
func (m *Machine) server() (Handshake, error) {
	if m.cfg.Enrolment != nil && m.invited() != nil && m.cfg.Enrolment.Invites() {
		return m.cfg.Auth.RespondUnpinned()
	}
	return m.cfg.Auth.Respond()
}

// client makes A's half.
func (m *Machine) client() (Handshake, error) {
	if m.link.Peer != "" && len(m.link.Pins) == 0 && m.link.Trust == policy.TrustFirstUse && m.cfg.Enrolment != nil {
		return m.cfg.Auth.InitiateUnpinned(m.link.Peer)
	}
	return m.cfg.Auth.Initiate(m.link.Peer, m.link.Pins)
}

// find finds the link of the authenticated peer: one that its key is pinned for, else one that it is
// let into.
func (m *Machine) find(service string) (Link, bool) {
	m.pin = nil
	if l, ok := m.cfg.Links.Lookup(m.identity, service); ok {
		return l, true
	}
	if m.cfg.Enrolment == nil || m.run.psk != nil {
		return Link{}, false
	}
	l, pin, ok := m.cfg.Enrolment.Admit(m.identity, service, m.proves())
	m.pin = pin
	return l, ok
}

// proves checks the request's proof against the secret of an invite; nil: there is none.
func (m *Machine) proves() func(keys.Secret) bool {
	proof := m.invited()
	if m.role != RoleB || proof == nil {
		return nil
	}
	blank := bytes.Clone(m.run.request)
	msg, err := pc5s.Parse(blank)
	if err != nil {
		return nil
	}
	kei.BlankProofs(msg.(*pc5s.DirectLinkEstablishmentRequest).KeyEstablishmentInfo)
	key := m.identity.Fingerprint
	return func(secret keys.Secret) bool {
		want, err := invite.Proof(secret, key, blank)
		return err == nil && hmac.Equal(want[:], proof[:])
	}
}

// refuseUnknown refuses a peer that has shown its key and gets no link: exactly as one whose key the
// handshake refused.
func (m *Machine) refuseUnknown(now time.Time) {
	m.rejectAuthentication(now, &RefusedError{Peer: m.identity.Name, Presented: m.identity.Fingerprint, Refusal: RefusedNotProvisioned, Reason: errUnknownKey.Error()})
}

// letIn finds at A what pins the key of a peer that is called a first time.
func (m *Machine) letIn() error {
	if m.link.Trust != policy.TrustFirstUse || slices.Contains(m.link.Pins, m.identity.Fingerprint) {
		return nil
	}
	l, ok := m.find(m.link.Service)
	if !ok || l.Name != m.link.Name {
		return &RefusedError{Peer: m.identity.Name, Presented: m.identity.Fingerprint, Refusal: RefusedNotProvisioned, Reason: errUnknownKey.Error()}
	}
	return nil
}

// enrol pins the peer's key, now that its first MAC has verified.
func (m *Machine) enrol() error {
	pin := m.pin
	m.pin = nil
	if pin == nil {
		return nil
	}
	if err := pin(); err != nil {
		return fmt.Errorf("peer %q with key %s gets no link: %w", m.identity.Name, m.identity.Fingerprint, err)
	}
	return nil
}
