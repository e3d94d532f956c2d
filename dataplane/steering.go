package dataplane

import "encoding/binary"

// maxExtensions is how many extension headers are looked through; who has more is dropped.
const maxExtensions = 8

// steers tells whether a packet would change this host's routes or neighbours: a redirect, or neighbour discovery,
// whose router advertisements a host believes on every interface. A link has no neighbours but the peer, who
// must not route for us (T57).
func steers(packet []byte) bool {
	if packet[0]>>4 == 4 {
		header := int(packet[0]&0x0F) * 4
		first := binary.BigEndian.Uint16(packet[6:])&0x1FFF == 0 // fragment: others have no type
		return packet[9] == protocolICMP && first && len(packet) > header && packet[header] == 5
	}
	next, at := packet[6], headerLenIPv6
	for range maxExtensions {
		switch next {
		case protocolICMPv6:
			return len(packet) > at && packet[at] >= 133 && packet[at] <= 137 // RFC 4861, 4
		case 0, 43, 60: // hop-by-hop options, routing, destination options
			if len(packet) < at+8 {
				return false
			}
			next, at = packet[at], at+8+8*int(packet[at+1])
		case 51: // authentication header
			if len(packet) < at+8 {
				return false
			}
			next, at = packet[at], at+8+4*int(packet[at+1])
		default: // fragments, too: RFC 6980 forbids these messages there
			return false
		}
	}
	return true
}
