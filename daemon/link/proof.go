package link

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/auth/mac"
	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
)

// searchUnproved is how many keys a request without an ID is compared with: with more candidates only
// after a cookie has proved its address.
const searchUnproved = 16

// proof verifies what a stranger's request proves, in memory of its own (T30).
type proof struct {
	local  Peer
	store  KeptKeys // nil: there are no keys
	gate   [32]byte // key of the gate
	mac    *mac.HMAC
	prover *pskdhe.Prover
	key    KeptKey // the candidate at hand, until forget
	blank  [maxRequest]byte
	view   pc5s.EstablishmentRequestView // of blank

	gated  comparisons // behind a gate, where nobody is asked for a cookie before
	proved comparisons // of those who proved their address
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

// finds tells whether a request, of which v and offer are the parts, proves a key. That is p.key then,
// until forget. It is compared with all keys as long as c allows it; nil: only with few.
func (p *proof) finds(c *comparisons, request []byte, v *pc5s.EstablishmentRequestView, offer *kei.Offer) bool {
	if p.store == nil || !offer.Offers(kei.PSKDHE) || offer.Share == nil || offer.Binder == nil || offer.Time == nil {
		return false
	}
	if !p.find(c, v, offer) {
		return false
	}
	blank := p.blanked(request)
	if blank == nil {
		return false
	}
	want := p.prover.Binder(p.key.Key.Secret, p.key.Peer.Name, p.local.Name, blank)
	return hmac.Equal(want[:], offer.Binder[:])
}

// forget wipes the candidate that was looked at last.
func (p *proof) forget() { p.key.Key.Wipe() }

// found copies the key that finds found, for its owner to wipe.
func (p *proof) found() *KeptKey {
	k := p.key
	k.Key = keys.ResumptionKey{Secret: keys.NewSecret(bytes.Clone(p.key.Key.Bytes()))}
	return &k
}

// find copies the key that a request names by its ID or by a tag.
func (p *proof) find(c *comparisons, v *pc5s.EstablishmentRequestView, offer *kei.Offer) bool {
	if len(v.KNRPID) > 0 {
		return p.store.Peek(keys.KNRPID(binary.BigEndian.Uint32(v.KNRPID)), &p.key)
	}
	n := p.store.Len()
	if offer.KeyTag == nil || n > searchUnproved && !c.allow(n) {
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
