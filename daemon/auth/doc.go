// Package auth is Direct Authentication and Key Establishment: TLS 1.3 carried in the Key
// establishment information container (TS 24.554, 7.2.12), identities and pinned keys.
//
// UE_A is the TLS client. Both ends show a certificate; trust is a pinned public key (SHA-256
// of SubjectPublicKeyInfo), and the name is the certificate's one URI SAN, pc5:NAME. There are
// no tickets, no resumption, no server name, and no other version. K_NRP is a TLS exporter over
// a context that the link makes.
//
// A handshake has a helper goroutine because crypto/tls wants a connection; it runs only between
// the call and the return of Feed, so a handshake behaves like a function. One goroutine may use
// a handshake; Authentication may be shared.
package auth
