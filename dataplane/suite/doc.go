// Package suite protects batches of records with an AEAD. A Suite is one key in one direction;
// New makes it from the octets that the key derivation gave.
//
// It does not count: whoever owns the key object reserves a COUNT for each Item and never
// gives one out twice. It knows no record layout and keeps no replay window.
//
//	nonce (12) = salt (12) xor 0^48 || COUNT (48), COUNT right-aligned
//	sealed     = ciphertext, as long as the plaintext || tag (16)
//
// Seal and Open work on the items of their batch only: several goroutines may use one Suite at
// the same time with batches of their own. Wipe must come after the last use. Nothing here
// allocates per item.
//
// Go's AES has no way to clear its key schedule: Wipe clears the salt and forgets the rest.
package suite
