package link

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"math"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/auth/mac"
	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
)

// How many keys a request without an ID is compared with: with more candidates than the first
// number, only after a cookie has proved its address.
const (
	searchUnproved = 16
	searchProved   = math.MaxInt
)

// proof verifies what a stranger's request proves, in memory of its own (T30).
type proof struct {
	local  Peer
	store  KeptKeys // nil: there are no keys
	gate   [32]byte // key of the gate
	mac    *mac.HMAC
	prover *pskdhe.Prover
	key    KeptKey // of the candidate at hand; wiped afterwards
	blank  [maxRequest]byte
	view   pc5s.EstablishmentRequestView // of blank
}

func newProof(local Peer, store KeptKeys) *proof {
	return &proof{
		local: local, store: store, gate: gateKey(local.Fingerprint), mac: mac.New(), prover: pskdhe.NewProver(),
		key: KeptKey{Key: keys.ResumptionKey{Secret: keys.NewSecret(make([]byte, keys.ResumptionKeyLen))}},
	}
}

// opens tells whether a request of at most maxRequest octets shows that its sender knows this end's
// fingerprint.
func (p *proof) opens(request []byte, offer *kei.Offer) bool {
	blank := p.blanked(request)
	if offer.Gate == nil || blank == nil {
		return false
	}
	p.mac.Begin(p.gate[:])
	p.mac.Write(blank)
	want := p.mac.Sum()
	return hmac.Equal(want[:kei.ProofLen], offer.Gate[:])
}

// keyOf returns a copy of the key that a request proves, of which v and offer are the parts. It is
// the caller's to wipe.
func (p *proof) keyOf(candidates int, request []byte, v *pc5s.EstablishmentRequestView, offer *kei.Offer) (KeptKey, bool) {
	if p.store == nil || !offer.Offers(kei.PSKDHE) || offer.Share == nil || offer.Binder == nil || offer.Time == nil {
		return KeptKey{}, false
	}
	defer p.key.Key.Wipe()
	if !p.find(candidates, v, offer) {
		return KeptKey{}, false
	}
	blank := p.blanked(request)
	if blank == nil {
		return KeptKey{}, false
	}
	want := p.prover.Binder(p.key.Key.Secret, p.key.Peer.Name, p.local.Name, blank)
	if !hmac.Equal(want[:], offer.Binder[:]) {
		return KeptKey{}, false
	}
	k := p.key
	k.Key = keys.ResumptionKey{Secret: keys.NewSecret(bytes.Clone(p.key.Key.Bytes()))}
	return k, true
}

// find copies the key that a request names by its ID or by a tag.
func (p *proof) find(candidates int, v *pc5s.EstablishmentRequestView, offer *kei.Offer) bool {
	if len(v.KNRPID) > 0 {
		return p.store.Peek(keys.KNRPID(binary.BigEndian.Uint32(v.KNRPID)), &p.key)
	}
	n := p.store.Len()
	if offer.KeyTag == nil || n > candidates {
		return false
	}
	for i := range n {
		if !p.store.PeekAt(i, &p.key) {
			continue
		}
		if tag := p.prover.Tag(p.key.Key.Secret, v.Nonce1); hmac.Equal(tag[:], offer.KeyTag[:]) {
			return true
		}
	}
	return false
}

// crowded tells whether a request is not searched for before its address is proved.
func (p *proof) crowded(offer *kei.Offer) bool {
	return p.store != nil && offer.KeyTag != nil && p.store.Len() > searchUnproved
}

// blanked copies a request, with the values of its proofs zero: what they are made over.
func (p *proof) blanked(request []byte) []byte {
	blank := p.blank[:copy(p.blank[:], request)]
	p.view = pc5s.EstablishmentRequestView{}
	if pc5s.ReadInto(blank, &p.view) != 0 {
		return nil
	}
	kei.BlankProofs(p.view.KeyEstablishmentInfo)
	return blank
}
