package link

import (
	"crypto/hmac"
	"encoding/binary"
	"math"

	"pc5d/daemon/auth/kei"
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

// proof tells whether a request was made with a kept key, in memory of its own (T30). It judges a
// stranger: whoever passes is looked at again, on a copy, by findKept.
type proof struct {
	prover *pskdhe.Prover
	key    KeptKey // of the candidate at hand; wiped afterwards
	blank  [maxRequest]byte
	view   pc5s.EstablishmentRequestView // of blank
}

func newProof() *proof {
	return &proof{prover: pskdhe.NewProver(), key: KeptKey{Key: keys.ResumptionKey{Secret: keys.NewSecret(make([]byte, keys.ResumptionKeyLen))}}}
}

// holds verifies a request of at most maxRequest octets, of which v and offer are the parts.
func (p *proof) holds(store KeptKeys, local Peer, candidates int, request []byte, v *pc5s.EstablishmentRequestView, offer *kei.Offer) bool {
	if store == nil || !offer.Offers(kei.PSKDHE) || offer.Share == nil || offer.Binder == nil || offer.Time == nil {
		return false
	}
	defer p.key.Key.Wipe()
	if !p.find(store, candidates, v, offer) {
		return false
	}
	blank := p.blank[:copy(p.blank[:], request)]
	p.view = pc5s.EstablishmentRequestView{}
	if pc5s.ReadInto(blank, &p.view) != 0 {
		return false
	}
	kei.BlankProofs(p.view.KeyEstablishmentInfo)
	want := p.prover.Binder(p.key.Key.Secret, p.key.Peer.Name, local.Name, blank)
	return hmac.Equal(want[:], offer.Binder[:])
}

// find copies the key that a request names by its ID or by a tag.
func (p *proof) find(store KeptKeys, candidates int, v *pc5s.EstablishmentRequestView, offer *kei.Offer) bool {
	if len(v.KNRPID) > 0 {
		return store.Peek(keys.KNRPID(binary.BigEndian.Uint32(v.KNRPID)), &p.key)
	}
	n := store.Len()
	if offer.KeyTag == nil || n > candidates {
		return false
	}
	for i := range n {
		if !store.PeekAt(i, &p.key) {
			continue
		}
		if tag := p.prover.Tag(p.key.Key.Secret, v.Nonce1); hmac.Equal(tag[:], offer.KeyTag[:]) {
			return true
		}
	}
	return false
}
