// Package record is the protected record: its header, the frames inside it, the COUNT that is
// given out once, and the replay window.
//
// Extension: records are pc5d's own form of user data, and of SL-SRB2 where the record form was
// chosen. The package does no I/O, derives no key and knows no link; it never decides which
// context a record belongs to.
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+---------------------------------------------------------------+
//	|  underlay header (8): form 1, L2 IDs, LCID 4 or 2             |
//	|                                                               |
//	+-------------------------------+-------------------------------+
//	|        K_NRP-sess ID          |          COUNT ...            |
//	+-------------------------------+-------------------------------+
//	|                        ... COUNT (48)                         |  16 octets: AAD
//	+---------------------------------------------------------------+
//	|  content, encrypted: frames (LCID 4) or one PC5-S message     |
//	+---------------------------------------------------------------+
//	|  tag (16)                                                     |
//	+---------------------------------------------------------------+
//
// That is the mode with both protections. Integrity only: the content can be read, and is AAD, too.
// Without integrity there is no tag.
//
// A frame, one after the other up to the end of the content:
//
//	+---------------+---------------+-------------------------------+
//	|     type      |     flags     |       payload length          |
//	+---------------+---------------+-------------------------------+
//	|  payload ...                                                  |
//	+---------------------------------------------------------------+
//
// Type 0x00 is PAD: it has no length, everything from it on is padding. 0x01 is PACKET: one whole IP
// packet. 0x02 is SEGMENT: a slice of a TCP super-packet, see Segment. 0x03 is FRAGMENT, a part of a long
// packet, and 0x04 ECHO, a question for a sign of life. Unknown types are skipped by their length.
//
// A Counter may be used by several goroutines. A Window, a Frames, a Sealer and an Opener
// belong to one goroutine each.
package record
