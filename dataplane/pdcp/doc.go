// Package pdcp protects signalling on the sidelink, and has the header and the COUNT of user data in the
// standard form (TS 38.323, Release 19 text).
//
//	SL-SRB1, 2, 3                         SL-SRB0, SL-SRB4
//	oct1  R R R R | SN[11:8]              oct1  R | SDU type(3) | SN[11:8]
//	oct2  SN[7:0]                         oct2  SN[7:0]
//	oct3  K_NRP-sess ID, 2 octets         ...   data, unprotected
//	...   data
//	last  MAC-I, 4 octets                 SL-DRB, 18-bit SN
//	                                      oct1  D/C | SDU type(3) | R R | SN[17:16]
//	                                      oct2  SN[15:8]
//	                                      oct3  SN[7:0]
//	                                      oct4  K_NRP-sess ID, 2 octets
//	                                      ...   one IP packet
//	                                      last  MAC-I, 4 octets, with integrity
//
// The MAC-I covers header and data and is made before ciphering; data and MAC-I are ciphered,
// the header is not (5.8, 5.9). Positions of the fields in an octet are recalled, widths are
// the standard's. User data is protected in package suite, and its PDUs are sent and received in package
// dataplane: many at a time.
//
// An Entity is one signalling bearer of one security context, both directions. It is not safe for
// concurrent use.
package pdcp
