package keys

import (
	"crypto/hkdf"
	"crypto/sha256"
)

// ResumptionKey is what outlives K_NRP under the K_NRP ID. Extension: K_NRP-sess follows from
// K_NRP and two public nonces, so a kept K_NRP would open recorded sessions.
type ResumptionKey struct{ Secret }

// ResumptionKeyLen is its length.
const ResumptionKeyLen = 32

// Plane tells record keys of signalling and of user data apart.
type Plane uint8

const (
	UserPlane Plane = iota
	SignallingPlane
)

// RecordKey is the key and salt of records in one direction.
type RecordKey struct {
	Key  Secret
	Salt [12]byte
}

// Wipe overwrites the key and the salt of this copy.
func (k *RecordKey) Wipe() {
	k.Key.Wipe()
	k.Salt = [12]byte{}
}

// labels begin with "p" (0x70), so that no input equals one of the KDF's (0x7E, 0x7F).
var labels = [...]string{UserPlane: "pc5d/1 user plane", SignallingPlane: "pc5d/1 signalling"}

const labelResumption = "pc5d/1 resumption"

// DeriveResumptionKey makes the resumption key. Extension.
func DeriveResumptionKey(k KNRP) ResumptionKey {
	return ResumptionKey{NewSecret(expand(k.Bytes(), labelResumption, ResumptionKeyLen))}
}

// DeriveRecordKey makes key and salt for a plane, suite, mode octet and DIRECTION. Extension.
func DeriveRecordKey(k KNRPSess, p Plane, suite, mode, direction byte, keyLen int) RecordKey {
	out := expand(k.Bytes(), labels[p]+string([]byte{suite, mode, direction}), keyLen+12)
	return RecordKey{Key: NewSecret(out[:keyLen:keyLen]), Salt: [12]byte(out[keyLen:])}
}

// expand is HKDF-Expand with SHA-256.
func expand(secret []byte, info string, length int) []byte {
	out, err := hkdf.Expand(sha256.New, secret, info, length)
	if err != nil { // only a length over 255 blocks fails
		panic("BUG: keys: " + err.Error())
	}
	return out
}
