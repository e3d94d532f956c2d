// Package nea has the ciphering and integrity algorithms of the 5G system as they protect PDCP
// PDUs on the sidelink: 128-NEA1 and 128-NIA1 (SNOW 3G), 128-NEA2 and 128-NIA2 (AES), 128-NEA3 and
// 128-NIA3 (ZUC), and NEA0. Messages are whole octets.
//
// Inputs are those of TS 38.323, 5.8 and 5.9: COUNT (32 bits), BEARER (5 bits, the low bits of
// the bearer's LCID) and DIRECTION (1 bit). The package keeps no COUNT: that the same inputs
// never protect two different messages is the caller's business. It derives no keys.
//
// Timing: SNOW 3G, which is written here, takes a time that depends on nothing but the length of
// the message (snow3g_sbox.go). So do AES and ZUC where their libraries use the
// processor's instructions for AES, as on amd64 and arm64; elsewhere ZUC reads tables.
//
// A Cipher may be used concurrently, a MAC may not.
package nea
