// Package nea has the ciphering and integrity algorithms of the 5G system as they protect PDCP
// PDUs on the sidelink: 128-NEA2 and 128-NIA2 (AES), and NEA0.
//
// Inputs are those of TS 38.323, 5.8 and 5.9: COUNT (32 bits), BEARER (5 bits, the low bits of
// the bearer's LCID) and DIRECTION (1 bit). The package keeps no COUNT: that the same inputs
// never protect two different messages is the caller's business. It derives no keys.
//
// A Cipher may be used concurrently, a MAC may not.
package nea
