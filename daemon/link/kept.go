package link

import (
	"errors"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/policy"
)

// KeptKey is a key for psk-dhe: a resumption key that outlives its link, so that the next
// establishment needs no full authentication, or one that the provisioning gives. K_NRP itself is
// never kept.
type KeptKey struct {
	// PreShared is a key of the provisioning: it has no ID and no end, is not used up, and whoever
	// proves it is authenticated anew.
	PreShared      bool
	ID             keys.KNRPID
	Peer           Peer
	Service        string
	Key            keys.ResumptionKey
	Made           time.Time
	Authenticated  time.Time // last full authentication; resuming does not renew it
	CertificateEnd time.Time // zero: none
}

// KeptKeys keeps them. Its methods must not block for long; the key of a KeptKey that it returns is
// the caller's own copy, to be wiped.
type KeptKeys interface {
	// For gives the key for a peer and a service.
	For(peer, service string) (KeptKey, bool)
	// Peek copies the key with an ID into a caller's KeptKey, whose key has its length, and PeekAt
	// the n-th of Len. They use no memory: it is a stranger who asks.
	Peek(id keys.KNRPID, into *KeptKey) bool
	PeekAt(n int, into *KeptKey) bool
	Len() int
	// Accept is true once for a timestamp newer than all before under this key.
	Accept(k KeptKey, timestamp uint64) bool
	// Take ends a key; when it returns it is gone for good. It is true for one caller only: whoever
	// gets false comes too late for a link from this key. A pre-shared key stays, and it is true.
	Take(KeptKey) bool
	// Rename gives a key another ID; a pre-shared key and an ID that nobody has are left alone.
	Rename(from, to keys.KNRPID)
	// Put keeps a copy of a key instead of the one before for the same peer and service, unless
	// they have a pre-shared key.
	Put(KeptKey)
}

// exchange is psk-dhe in a run: this end's half, the key, and what the key proves.
type exchange struct {
	mine           *pskdhe.Exchange
	psk            keys.Secret // wiped with the run unless it is a context's
	borrowed       bool        // it is a context's
	kept           KeptKey     // establishment: that it came from, without its key
	shareA, shareB [kei.ShareLen]byte
}

// newExchange takes a kept key over.
func newExchange(mine *pskdhe.Exchange, k KeptKey, shareA, shareB [kei.ShareLen]byte) *exchange {
	x := &exchange{mine: mine, psk: k.Key.Secret, kept: k, shareA: shareA, shareB: shareB}
	x.kept.Key = keys.ResumptionKey{}
	return x
}

func (x *exchange) wipe() {
	if x != nil && !x.borrowed {
		x.psk.Wipe()
	}
}

// usable tells whether a kept key stands for a link as it is provisioned today: one that a pin once
// spoke for has no end by certificate, and does not stand where certificates decide now.
func usable(k KeptKey, l Link) bool {
	return (k.PreShared || l.Authenticate != policy.AuthenticateAlways) && k.Service == l.Service && l.Admits(k.Peer) &&
		(l.Trust == policy.TrustCA) == !k.CertificateEnd.IsZero() && (l.Trust == policy.TrustPSK) == k.PreShared
}

// resume prepares psk-dhe for a request where a key is kept for the peer. A key that
// was kept ends with this attempt: no K_NRP ID stands in clear twice (T20).
func (m *Machine) resume() (*exchange, error) {
	if m.cfg.Kept == nil || m.link.Peer == "" {
		return nil, nil
	}
	k, ok := m.cfg.Kept.For(m.link.Peer, m.link.Service)
	if !ok {
		return nil, nil
	}
	x, err := m.startFrom(k)
	if x == nil {
		k.Key.Wipe()
	}
	return x, err
}

// startFrom makes A's half of psk-dhe from a key that serves the link; the key is the exchange's.
func (m *Machine) startFrom(k KeptKey) (*exchange, error) {
	if !usable(k, m.link) || m.link.Anew && !k.PreShared {
		return nil, nil
	}
	mine, err := pskdhe.New()
	if err != nil || !m.cfg.Kept.Take(k) {
		return nil, err
	}
	return newExchange(mine, k, mine.Share(), [kei.ShareLen]byte{}), nil
}

// ErrForgotten says that an attempt ended because the kept key that it rests on did.
var ErrForgotten = errors.New("the kept key that the attempt rested on was forgotten")

// Forget ends an initiator's attempt that rests on a kept key of a peer, with no name of anybody: the
// session would be one by that key, and leave another (T16). A responder finds its key gone when the
// peer proves itself.
func (m *Machine) Forget(now time.Time, peer string) {
	if m.role != RoleA || m.run == nil || m.run.rekeying || m.run.psk == nil {
		return
	}
	if k := m.run.psk.kept; k.PreShared || peer != "" && k.Peer.Name != peer {
		return
	}
	if m.state != AwaitAccept {
		m.fail(ErrForgotten)
		return
	}
	m.cfg.Kept.Take(KeptKey{ID: m.ctx.knrpID}) // made meanwhile
	m.failed = ErrForgotten
	m.release(now, pc5s.CauseAuthenticationFailure) // the peer may be established
}

// authenticatedBy notes who the peer is by a key of psk-dhe, and when it was authenticated in full: the
// key tells it by the wall clock, and from here on it counts by the one that nobody sets (T76).
func (m *Machine) authenticatedBy(now time.Time, x *exchange) {
	m.identity, m.certificateEnd, m.proof = x.kept.Peer, x.kept.CertificateEnd, ByKeptKey
	m.authenticated = now.Add(x.kept.Authenticated.Sub(now))
	if x.kept.PreShared {
		m.authenticated, m.proof = now, ByPreSharedKey
	}
}

// keepKey hands a context's resumption key out, for the next establishment. It happens before the
// message that confirms it: whoever gets that message may come with the key (T72).
func (m *Machine) keepKey(c *securityContext) {
	if m.cfg.Kept == nil || m.link.Authenticate == policy.AuthenticateAlways {
		return
	}
	m.cfg.Kept.Put(KeptKey{
		ID: c.knrpID, Peer: m.identity, Service: m.link.Service, Key: c.kept,
		Made: c.made, Authenticated: m.authenticated, CertificateEnd: m.certificateEnd,
	})
}
