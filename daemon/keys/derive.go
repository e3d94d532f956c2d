package keys

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"pc5d/dataplane/nea"
)

// KNRP is K_NRP, 256 bits. Nobody keeps it.
type KNRP struct{ Secret }

// KNRPSess is K_NRP-sess, 256 bits.
type KNRPSess struct{ Secret }

// NRPEK is the ciphering key as derived, 256 bits.
type NRPEK struct{ Secret }

// NRPIK is the integrity key as derived, 256 bits.
type NRPIK struct{ Secret }

// Nonce is Nonce_1 or Nonce_2.
type Nonce [16]byte

// Function codes of the KDF (TS 33.536, A.3 and A.4), and the algorithm type distinguishers.
const (
	fcAlgorithmKey = 0x7E
	fcKNRPSess     = 0x7F
	typeCiphering  = 0x00
	typeIntegrity  = 0x01
)

// kdf is the KDF of TS 33.220, B.2: HMAC-SHA-256 over FC and the parameters, each followed by
// its length.
func kdf(key []byte, fc byte, parameters ...[]byte) []byte {
	s := append(make([]byte, 0, 64), fc)
	for _, p := range parameters {
		s = append(s, p...)
		s = binary.BigEndian.AppendUint16(s, uint16(len(p)))
	}
	h := hmac.New(sha256.New, key)
	h.Write(s)
	return h.Sum(make([]byte, 0, sha256.Size))
}

// DeriveKNRPSess makes K_NRP-sess (TS 33.536, A.3).
func DeriveKNRPSess(k KNRP, nonce1, nonce2 Nonce) KNRPSess {
	return KNRPSess{NewSecret(kdf(k.Bytes(), fcKNRPSess, nonce1[:], nonce2[:]))}
}

// DeriveNRPEK makes NRPEK for a ciphering algorithm (TS 33.536, A.4).
func DeriveNRPEK(k KNRPSess, alg nea.Ciphering) NRPEK {
	return NRPEK{NewSecret(kdf(k.Bytes(), fcAlgorithmKey, []byte{typeCiphering}, []byte{byte(alg)}))}
}

// DeriveNRPIK makes NRPIK for an integrity algorithm (TS 33.536, A.4).
func DeriveNRPIK(k KNRPSess, alg nea.Integrity) NRPIK {
	return NRPIK{NewSecret(kdf(k.Bytes(), fcAlgorithmKey, []byte{typeIntegrity}, []byte{byte(alg)}))}
}

// Key128 is the key of a 128-bit algorithm: the 128 least significant bits.
func (k NRPEK) Key128() [16]byte { return [16]byte(k.Bytes()[16:]) }

// Key128 is the key of a 128-bit algorithm: the 128 least significant bits.
func (k NRPIK) Key128() [16]byte { return [16]byte(k.Bytes()[16:]) }
