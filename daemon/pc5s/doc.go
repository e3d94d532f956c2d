// Package pc5s has the PC5-S messages of one-to-one links and the messages of direct discovery
// (TS 24.554, clauses 9 to 11), from octets to structs and back. It has none of the messages and
// IEs that only relays use.
//
//	octet 1  message type      octet 2  sequence number (none in discovery)
//	then     mandatory IEs in table order, without IEI (V, LV, LV-E)
//	then     optional IEs with IEI (TV, TLV, TLV-E, type 1)
//
// A message is a struct and a table with one row per IE; one walker does the rest, and every
// code point stands in codepoints.go. The package knows no procedure and no protection: which
// message fits, and what its contents mean, is for the caller to judge.
//
// Slices in a parsed message alias the octets that were parsed. Everything is pure and may be
// used concurrently.
package pc5s
