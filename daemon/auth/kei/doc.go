// Package kei has the octets of the Key establishment information container. To the standard
// they are opaque (TS 24.554, 11.3.9); the layout is ours (Extension).
//
//	1      version(4) = 1 | method(4): 0 offer, 1 tls13, 2 psk-dhe
//	2      flags, from bit 8: S start, C cookie, D request copy, L total length, M more,
//	       A acknowledgement only, F failure, 0
//	3      exchange number: 0 in a stateless answer, then +1 for each authentication request
//	4-11   conversation tag = SHA-256(request)[0:8]; not in an offer
//	       [L] total length (4)  [C] length (1), cookie  [D] length (2), request
//	       fragment
//
// An offer has TLVs (type 1, length 2) from octet 4 on instead.
//
// The package does no I/O and keeps nothing global. Its values are not safe for concurrent use.
package kei
