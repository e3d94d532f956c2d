// Package keys has the keys of a PC5 unicast link, their identifiers and their derivation
// (TS 33.536, 5.3.3.1.2 and Annex A; KDF of TS 33.220, Annex B).
//
//	K_NRP ── Nonce_1, Nonce_2 ──> K_NRP-sess ── algorithm ──> NRPEK, NRPIK
//	  │                               └── label (Extension) ──> record keys and salts
//	  └── label (Extension) ──> resumption key
//
// Every key is a type of its own around Secret, which prints as [redacted] and can be wiped.
// The package keeps nothing and chooses nothing at random.
package keys
