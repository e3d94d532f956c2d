package sim

import (
	"bytes"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// SharedKey is a key of psk-dhe as an evil peer has it.
type SharedKey struct {
	Key       keys.Secret
	PreShared bool
	ID        keys.KNRPID // of a key that was kept
}

// PreSharedKey is the key that the provisioning of a link gives both ends.
func (l *Link) PreSharedKey() *SharedKey { return &SharedKey{Key: l.A.preShared(), PreShared: true} }

// exchange is an evil peer's half of psk-dhe.
type exchange struct {
	mine   *pskdhe.Exchange
	key    keys.Secret
	e1, e2 [kei.ShareLen]byte
	theirs *[kei.ShareLen]byte // one of the two
}

func (x *exchange) knrp(ctx []byte) (keys.KNRP, error) {
	return x.mine.KNRP(x.key, *x.theirs, ctx, x.e1, x.e2)
}

// offerShared puts psk-dhe into a request, as its violations want it. It returns the offer's half.
func (e *EvilPeer) offerShared(to *Host, m *pc5s.DirectLinkEstablishmentRequest) *exchange {
	mine, err := pskdhe.New()
	if err != nil {
		return nil
	}
	x := &exchange{mine: mine, key: e.Shared.Key, e1: mine.Share()}
	x.theirs = &x.e2
	at := uint64(e.Host.wall().UnixNano())
	offer := kei.Offer{Methods: []kei.Method{kei.PSKDHE, kei.TLS13}, Share: &x.e1, Time: &at, Binder: &[kei.ProofLen]byte{}}
	if e.Shared.PreShared {
		offer.Methods = offer.Methods[:1]
		if tag, err := pskdhe.Tag(e.Shared.Key, keys.Nonce(*m.Nonce1)); err == nil {
			offer.KeyTag = &tag
		}
	} else {
		id := uint32(e.Shared.ID)
		m.KNRPID = &id
	}
	if e.Offer != nil {
		e.Offer(&offer)
	}
	if e.Request != nil {
		e.Request(m)
	}
	m.KeyEstablishmentInfo = offer.AppendTo(nil)
	if offer.Binder == nil {
		return x
	}
	binder, err := pskdhe.Binder(e.Shared.Key, e.Host.Name, to.Name, pc5s.Marshal(m))
	if err != nil {
		return nil
	}
	if e.Binder != nil {
		e.Binder(&binder)
	}
	offer.Binder = &binder
	m.KeyEstablishmentInfo = offer.AppendTo(nil)
	return x
}

// commandAtOnce answers a request that offers psk-dhe by the command, whatever its binder is.
func (e *EvilPeer) commandAtOnce(h underlay.Header, m *pc5s.DirectLinkEstablishmentRequest, sdu []byte) {
	offer, err := kei.ParseOffer(m.KeyEstablishmentInfo)
	if err != nil || offer.Share == nil {
		return
	}
	mine, err := pskdhe.New()
	if err != nil {
		return
	}
	x := &exchange{mine: mine, key: e.Shared.Key, e1: *offer.Share, e2: mine.Share()}
	x.theirs = &x.e1
	e.begin(&session{role: link.RoleB, local: evilLayerTwo, peer: h.Source, request: bytes.Clone(sdu), parsed: m, tag: kei.Tag(sdu), psk: x})
	e.command()
}

// container is what a command of psk-dhe carries.
func (e *EvilPeer) container() []byte {
	share := e.session.psk.e2
	if e.Share != nil {
		e.Share(&share)
	}
	return (&kei.Command{Tag: e.session.tag, Share: share}).AppendTo(nil)
}
