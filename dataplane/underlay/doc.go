// Package underlay is the header in front of every PDU that pc5d puts into a UDP datagram. It
// stands in for what the radio's layer 2 carries: layer-2 IDs and the logical channel.
//
// It does not know what the PDU is, and nothing in the header is believed before a MAC or a tag
// over the PDU verified: the header is a lookup key only.
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-------+-------+-----------------------------------------------+
//	|ver = 1| form  |          destination layer-2 ID               |
//	+-------+-------+-------------------------------+---------------+
//	|            source layer-2 ID                  |     LCID      |
//	+-----------------------------------------------+---------------+
//	|  one PDU, up to the end of the datagram ...                   |
//
// All values are plain; any goroutine may use them.
package underlay
