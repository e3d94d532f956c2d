// Package pdcp protects signalling on the sidelink (TS 38.323, Release 19 text).
//
//	SL-SRB1, 2, 3                         SL-SRB0, SL-SRB4
//	oct1  R R R R | SN[11:8]              oct1  R | SDU type(3) | SN[11:8]
//	oct2  SN[7:0]                         oct2  SN[7:0]
//	oct3  K_NRP-sess ID, 2 octets         ...   data, unprotected
//	...   data
//	last  MAC-I, 4 octets
//
// The MAC-I covers header and data and is made before ciphering; data and MAC-I are ciphered,
// the header is not (5.8, 5.9). Positions of the fields in an octet are recalled, widths are
// the standard's. Data bearers are not here.
//
// An Entity is one bearer of one security context, both directions. It is not safe for
// concurrent use.
package pdcp
