// Package gcm is AES-GCM (NIST SP 800-38D) for the records of the data plane: with the vector AES and the vector
// carry-less multiplication of AVX-512 where Supported says that they are there, in Go assembly.
//
// It does the usual record that way: AAD of one block, content of 128 to 1,408 octets in steps of 128. Any other
// length goes to the standard library, which is also what the tests compare everything with. What it does not:
// other lengths of nonce and tag, GMAC of long AAD, checking that buffers do not overlap.
//
//	counter blocks   J0 = nonce || 1, then 2, 3, ...; J0 masks the tag
//	tag              E(J0) xor AAD·H^(n+2) + C1·H^(n+1) + ... + Cn·H^2 + lengths·H
//
// The powers of H up to the longest record are kept with the round keys, so that a record needs one reduction,
// not one per block: 1.7 kB for each key. Nothing branches on a secret or takes it for an address.
//
// An AEAD may serve several goroutines at the same time. Wipe must come after the last use.
package gcm
