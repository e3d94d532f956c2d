package dataplane

import "encoding/binary"

// The ECN field (RFC 3168, 5). The other six bits of the traffic class are the DSCP.
const (
	notECT  = 0
	ect1    = 1
	ect0    = 2
	ce      = 3
	ecnMask = 3
)

// trafficClass is the octet with DSCP and ECN of an IP packet: TOS, or Traffic Class.
func trafficClass(packet []byte) uint8 {
	if packet[0]>>4 == 6 {
		return packet[0]<<4 | packet[1]>>4
	}
	return packet[1]
}

// class is the traffic class of the datagrams that carry a packet: its ECN field, and its DSCP where the
// operator wants that (RFC 6040, 4.1: the normal mode; RFC 2983).
func (k *keyContext) class(packet []byte) uint8 {
	switch {
	case k == nil:
		return 0
	case k.copyDSCP:
		return trafficClass(packet)
	}
	return trafficClass(packet) & ecnMask
}

// ecnAfter is the ECN field of a packet that came with one in a datagram with another; false: drop it, because
// its sender would not hear of the congestion (RFC 6040, 4.2, figure 4).
func ecnAfter(inner, outer uint8) (uint8, bool) {
	switch {
	case inner == notECT:
		return notECT, outer != ce
	case outer == ce:
		return ce, true
	case inner == ect0 && outer == ect1:
		return ect1, true
	}
	return inner, true
}

// admit judges a packet of the peer, which came in a datagram with this traffic class.
func (k *keyContext) admit(packet []byte, outer uint8) (Drop, bool) {
	reason, ok := k.filter.judge(packet)
	if ok && !congest(packet, outer) {
		return DropCongested, false
	}
	return reason, ok
}

// congest passes on to a packet what the network has marked its datagram with. It is false where the packet is to
// be dropped.
func congest(packet []byte, outer uint8) bool {
	if outer&ecnMask == notECT {
		return true
	}
	inner := trafficClass(packet) & ecnMask
	ecn, ok := ecnAfter(inner, outer&ecnMask)
	if !ok || ecn == inner {
		return ok
	}
	if packet[0]>>4 == 6 {
		packet[1] = packet[1]&^(ecnMask<<4) | ecn<<4
		return true
	}
	old := binary.BigEndian.Uint16(packet)
	packet[1] = packet[1]&^ecnMask | ecn
	// RFC 1624, equation 3.
	sum := uint32(^binary.BigEndian.Uint16(packet[10:])) + uint32(^old) + uint32(binary.BigEndian.Uint16(packet))
	for sum > 0xFFFF {
		sum = sum>>16 + sum&0xFFFF
	}
	binary.BigEndian.PutUint16(packet[10:], ^uint16(sum))
	return true
}
