// Package suite protects batches of user data. A Suite is one key in one direction and one Mode; New
// makes that of records from the octets that the key derivation gave, NewStandard that of the standard form,
// which PDCP PDUs have, from NRPEK and NRPIK. What follows is about records.
//
// It does not count: whoever owns the key object reserves a COUNT for each Item and never
// gives one out twice. It knows no record layout and keeps no replay window.
//
//	nonce (12) = salt (12) xor 0^48 || COUNT (48), COUNT right-aligned
//
//	mode             AES-128-GCM, AES-256-GCM       ChaCha20-Poly1305
//	aead             GCM                            RFC 8439
//	integrity_only   GMAC over AAD || text          RFC 8439, AAD || text as its AAD
//	ciphering_only   AES-CTR from nonce || 0^32 on  ChaCha20 from block 0 on
//	unprotected      the text                       the text
//
// In the first two modes the result is as long as the text and a tag of 16 octets, in the others as
// long as the text: there Open opens everything.
//
// Seal and Open work on the items of their batch only: several goroutines may use one Suite at
// the same time with batches of their own. Wipe must come after the last use. Nothing here
// allocates per item, with the one exception that Item names.
//
// Records in the first mode with AES go through dataplane/suite/gcm where the processor has what that needs.
//
// Neither Go's AES nor its ChaCha20-Poly1305 has a way to clear its key: Wipe clears the salt and
// what else is ours, and forgets the rest.
package suite
