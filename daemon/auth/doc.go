// Package auth is Direct Authentication and Key Establishment: TLS 1.3 carried in the Key
// establishment information container (TS 24.554, 7.2.12), identities, and whom to trust.
//
// UE_A is the TLS client. Both ends show certificates, and the name is the leaf's one URI SAN,
// pc5:NAME. Trust is a pinned public key (SHA-256 of SubjectPublicKeyInfo), for which the
// certificate is only a vessel, or a chain that ends at a CA of the node:
//
//	leaf (pc5:NAME, client and server) <- at most 3 CAs between <- CA of node.ca
//	  |                                     |
//	  dates, purpose, revoked?, denied?     dates, CA?, path length, names, revoked?, denied?
//
// There are no tickets, no resumption, no server name, and no other version. K_NRP is a TLS exporter
// over a context that the link makes.
//
// Every refusal is a link.Refusal of its own here and the same TLS alert at the peer. The judgement
// changes nothing; what a complete handshake was judged by is remembered, so that a peer can be
// judged again when CAs, lists or denied keys change.
//
// A handshake has a helper goroutine because crypto/tls wants a connection; it runs only between
// the call and the return of Feed, so a handshake behaves like a function. One goroutine may use
// a handshake; Authentication may be shared.
package auth
