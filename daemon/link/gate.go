package link

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/pc5s"
	"pc5d/policy"
)

const labelGate = "pc5d/1 gate"

// gateOf proves, for a request whose proofs are blank, that its sender knows the fingerprint of the
// end that it calls. A node with a gate answers nobody else (T20). Extension.
func gateOf(responder policy.Fingerprint, blank []byte) [kei.ProofLen]byte {
	key := sha256.Sum256(append([]byte(labelGate), responder[:]...))
	h := hmac.New(sha256.New, key[:])
	h.Write(blank)
	return [kei.ProofLen]byte(h.Sum(nil))
}

// opens tells whether a request opens the gate of an end.
func opens(local Peer, request []byte, offer *kei.Offer) bool {
	if offer.Gate == nil {
		return false
	}
	blank, err := blanked(request)
	if err != nil {
		return false
	}
	want := gateOf(local.Fingerprint, blank)
	return hmac.Equal(want[:], offer.Gate[:])
}

// blanked copies a request, with the values of its proofs zero: what they are made over.
func blanked(request []byte) ([]byte, error) {
	blank := bytes.Clone(request)
	msg, err := pc5s.Parse(blank)
	if err != nil {
		return nil, err
	}
	if r, ok := msg.(*pc5s.DirectLinkEstablishmentRequest); ok {
		kei.BlankProofs(r.KeyEstablishmentInfo)
	}
	return blank, nil
}
