package link

import (
	"crypto/hmac"
	"crypto/sha256"

	"pc5d/daemon/auth/kei"
	"pc5d/policy"
)

const labelGate = "pc5d/1 gate"

// gateOf proves, for a request whose proofs are blank, that its sender knows the fingerprint of the
// end that it calls. A node with a gate answers nobody else (T20). Extension.
func gateOf(responder policy.Fingerprint, blank []byte) [kei.ProofLen]byte {
	key := gateKey(responder)
	h := hmac.New(sha256.New, key[:])
	h.Write(blank)
	return [kei.ProofLen]byte(h.Sum(nil))
}

func gateKey(responder policy.Fingerprint) [32]byte {
	return sha256.Sum256(append([]byte(labelGate), responder[:]...))
}
