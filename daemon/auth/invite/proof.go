package invite

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/policy"
)

// proofLabel and the joiner's fingerprint make the key of a proof.
const proofLabel = "pc5d/1 invite"

// Proof proves an invite's secret for one joiner's key, over an establishment request whose proofs
// are blank (T41).
func Proof(secret keys.Secret, joiner policy.Fingerprint, blank []byte) ([kei.ProofLen]byte, error) {
	key, err := expand(secret, proofLabel+string(joiner[:]), sha256.Size)
	if err != nil {
		return [kei.ProofLen]byte{}, err
	}
	defer clear(key)
	h := hmac.New(sha256.New, key)
	h.Write(blank)
	return [kei.ProofLen]byte(h.Sum(nil)), nil
}

func expand(secret keys.Secret, info string, n int) ([]byte, error) {
	b, err := hkdf.Expand(sha256.New, secret.Bytes(), info, n)
	if err != nil {
		return nil, fmt.Errorf("invite: %w", err)
	}
	return b, nil
}
