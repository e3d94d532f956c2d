package link

import (
	"bytes"
	"crypto/hmac"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/policy"
)

// KeptKey is a resumption key that outlives its link: with it the next establishment needs no
// full authentication. K_NRP itself is never kept.
type KeptKey struct {
	ID             keys.KNRPID
	Peer           Peer
	Service        string
	Key            keys.ResumptionKey
	Made           time.Time
	Authenticated  time.Time // last full authentication; resuming does not renew it
	CertificateEnd time.Time // zero: none
}

// KeptKeys keeps them. Its methods must not block for long; a KeptKey that it returns shares its
// key with the store.
type KeptKeys interface {
	// For gives the key for a peer and a service.
	For(peer, service string) (KeptKey, bool)
	ByID(keys.KNRPID) (KeptKey, bool)
	// Each visits all in a fixed order until visit is false.
	Each(visit func(KeptKey) bool)
	// Accept is true once for a timestamp newer than all before under this key.
	Accept(id keys.KNRPID, timestamp uint64) bool
	// Take ends a key; when it returns it is gone for good.
	Take(keys.KNRPID)
	// Put keeps a key instead of the one before for the same peer and service.
	Put(KeptKey)
}

// maxSearch is how many keys a request without an ID is compared with before its address is
// proved (chosen).
const maxSearch = 16

// exchange is psk-dhe in a run: this end's half, the key, and what the key proves.
type exchange struct {
	mine           *pskdhe.Exchange
	psk            keys.Secret // wiped with the run unless it is a context's
	borrowed       bool        // it is a context's
	kept           KeptKey     // establishment: that it came from, without its key
	shareA, shareB [kei.ShareLen]byte
}

func (x *exchange) wipe() {
	if x != nil && !x.borrowed {
		x.psk.Wipe()
	}
}

// usable tells whether a kept key stands for a link as it is provisioned today: one that a pin once
// spoke for has no end by certificate, and does not stand where certificates decide now.
func usable(k KeptKey, l Link) bool {
	return l.Authenticate != policy.AuthenticateAlways && k.Service == l.Service && l.Admits(k.Peer) &&
		(l.Trust == policy.TrustCA) == !k.CertificateEnd.IsZero()
}

// resume prepares psk-dhe for a request where a key is kept for the peer. The key ends with this
// attempt: no K_NRP ID stands in clear twice (T20).
func (m *Machine) resume() (*exchange, error) {
	if m.cfg.Kept == nil || m.link.Peer == "" {
		return nil, nil
	}
	k, ok := m.cfg.Kept.For(m.link.Peer, m.link.Service)
	if !ok || !usable(k, m.link) {
		return nil, nil
	}
	mine, err := pskdhe.New()
	if err != nil {
		return nil, err
	}
	x := &exchange{mine: mine, psk: keys.NewSecret(bytes.Clone(k.Key.Bytes())), kept: k, shareA: mine.Share()}
	x.kept.Key = keys.ResumptionKey{}
	m.cfg.Kept.Take(k.ID)
	return x, nil
}

// offerKept puts a kept key into a request: its name, this end's share, the time, and a binder
// over the request as it is then.
func (m *Machine) offerKept(now time.Time, x *exchange, nonce keys.Nonce, msg *pc5s.DirectLinkEstablishmentRequest) error {
	at := uint64(now.UnixNano())
	offer := kei.Offer{Methods: []kei.Method{kei.PSKDHE, kei.TLS13}, Share: &x.shareA, Time: &at, Binder: &[kei.ProofLen]byte{}}
	if m.link.PrivateIdentity { // the MSBs of the ID stood in clear in an earlier command
		tag, err := pskdhe.Tag(x.psk, nonce)
		if err != nil {
			return err
		}
		offer.KeyTag = &tag
	} else {
		id := uint32(x.kept.ID)
		msg.KNRPID = &id
	}
	msg.KeyEstablishmentInfo = offer.AppendTo(nil)
	binder, err := pskdhe.Binder(x.psk, m.cfg.Auth.Local().Name, m.link.Peer, pc5s.Marshal(msg))
	if err != nil {
		return err
	}
	offer.Binder = &binder
	msg.KeyEstablishmentInfo = offer.AppendTo(nil)
	return nil
}

// findKept finds the key that a request was made with, and verifies that it was: UE_B's side,
// stateless.
func findKept(store KeptKeys, local Peer, request []byte, r *pc5s.DirectLinkEstablishmentRequest, offer *kei.Offer) (KeptKey, bool) {
	if store == nil || offer.Share == nil || offer.Binder == nil || offer.Time == nil {
		return KeptKey{}, false
	}
	k, ok := namedKept(store, r, offer)
	if !ok {
		return KeptKey{}, false
	}
	blank := bytes.Clone(request)
	msg, err := pc5s.Parse(blank)
	if err != nil {
		return KeptKey{}, false
	}
	kei.BlankProofs(msg.(*pc5s.DirectLinkEstablishmentRequest).KeyEstablishmentInfo)
	want, err := pskdhe.Binder(k.Key.Secret, k.Peer.Name, local.Name, blank)
	return k, err == nil && hmac.Equal(want[:], offer.Binder[:])
}

// namedKept looks the key up by its ID or by a tag.
func namedKept(store KeptKeys, r *pc5s.DirectLinkEstablishmentRequest, offer *kei.Offer) (found KeptKey, ok bool) {
	if r.KNRPID != nil {
		return store.ByID(keys.KNRPID(*r.KNRPID))
	}
	if offer.KeyTag == nil {
		return KeptKey{}, false
	}
	searched := 0
	store.Each(func(k KeptKey) bool {
		tag, err := pskdhe.Tag(k.Key.Secret, keys.Nonce(*r.Nonce1))
		if err == nil && hmac.Equal(tag[:], offer.KeyTag[:]) {
			found, ok = k, true
		}
		searched++
		return !ok && searched < maxSearch
	})
	return found, ok
}

// keepKey hands a context's resumption key out, for the next establishment. It happens before the
// message that confirms it: whoever gets that message may come with the key (T72).
func (m *Machine) keepKey(c *securityContext) {
	if m.cfg.Kept == nil || m.link.Authenticate == policy.AuthenticateAlways {
		return
	}
	m.cfg.Kept.Put(KeptKey{
		ID: c.knrpID, Peer: m.identity, Service: m.link.Service, Key: keys.ResumptionKey{Secret: keys.NewSecret(bytes.Clone(c.kept.Bytes()))},
		Made: c.made, Authenticated: m.authenticated, CertificateEnd: m.certificateEnd,
	})
}
