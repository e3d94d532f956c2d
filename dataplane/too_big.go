package dataplane

import (
	"encoding/binary"

	"pc5d/dataplane/tundev"
)

const (
	protocolICMP   = 1
	protocolICMPv6 = 58

	// toldInSecond is how many senders of a link are told in a second (RFC 4443, 2.4 (f); chosen).
	toldInSecond = 20
	// An answer has as much of its cause as fits: RFC 4443, 3.2 and RFC 1812, 4.3.2.3.
	answerIPv6, answerIPv4 = leastMTU, 576

	icmpHeaderLen = 8
)

// tell answers a packet of the interface with a Packet Too Big, so that its sender makes packets of at
// most mtu octets. It is false where nobody may be told.
//
// The answer comes from the packet's destination: it is on the other side of the link, while Linux drops
// what an interface brings from one of its own addresses (martians; filters of the reverse path).
func (t *transmitter) tell(l *Link, packet []byte, mtu int) bool {
	if !mayTell(packet) {
		return false
	}
	if !l.told.take(t.engine.config.Now(), toldInSecond) {
		return true // the next one, then
	}
	b := t.answer[:]
	n := tundev.HeaderLen
	tundev.Header{}.Put(b)
	if packet[0]>>4 == 6 {
		n += packetTooBig(b[n:], packet, mtu)
	} else {
		n += fragmentationNeeded(b[n:], packet, mtu)
	}
	if _, err := l.device.Write(b[:n]); err != nil {
		l.drops.add(deviceDrop(err), 1)
	}
	return true
}

// mayTell tells whether a packet that is too big may be answered: a unicast one that is no error itself
// and no later fragment, and of IPv4 one that must not be cut.
func mayTell(packet []byte) bool {
	source, destination, ok := innerAddresses(packet)
	if !ok || !unicast(source) || !unicast(destination) {
		return false
	}
	if packet[0]>>4 == 6 {
		return mayTellIPv6(packet)
	}
	return mayTellIPv4(packet)
}

// RFC 1191, 4; RFC 1812, 4.3.2.7.
func mayTellIPv4(packet []byte) bool {
	const dontFragment, offset = 0x4000, 0x1FFF
	if field := binary.BigEndian.Uint16(packet[6:]); field&dontFragment == 0 || field&offset != 0 {
		return false
	}
	if packet[9] != protocolICMP {
		return true
	}
	header := int(packet[0]&0x0F) * 4
	if header >= len(packet) {
		return false
	}
	switch packet[header] {
	case 0, 8, 13, 14, 15, 16, 17, 18: // questions and answers, all others are errors
		return true
	}
	return false
}

// RFC 4443, 2.4 (e). What stands behind headers that nobody here knows may be an error.
func mayTellIPv6(packet []byte) bool {
	const hopByHop, routing, fragment, options, redirect = 0, 43, 44, 60, 137
	next, at := packet[6], headerLenIPv6
	for at+8 <= len(packet) {
		switch next {
		case hopByHop, routing, options:
			next, at = packet[at], at+8*(int(packet[at+1])+1)
		case fragment:
			if binary.BigEndian.Uint16(packet[at+2:])&0xFFF8 != 0 {
				return false
			}
			next, at = packet[at], at+8
		case protocolICMPv6:
			return packet[at] >= 128 && packet[at] != redirect
		default:
			return true
		}
	}
	return false
}

// packetTooBig makes an ICMPv6 Packet Too Big (RFC 4443, 3.2).
func packetTooBig(b, cause []byte, mtu int) int {
	cause = cause[:min(len(cause), answerIPv6-headerLenIPv6-icmpHeaderLen)]
	n := headerLenIPv6 + icmpHeaderLen + len(cause)
	clear(b[:headerLenIPv6+icmpHeaderLen])
	b[0], b[6], b[7] = 0x60, protocolICMPv6, 64
	binary.BigEndian.PutUint16(b[4:], uint16(n-headerLenIPv6))
	copy(b[8:24], cause[24:40])
	copy(b[24:40], cause[8:24])
	m := b[headerLenIPv6:n]
	m[0] = 2
	binary.BigEndian.PutUint32(m[4:], uint32(mtu))
	copy(m[icmpHeaderLen:], cause)
	pseudo := uint32(tundev.Sum(uint32(len(m))+protocolICMPv6, b[8:40]))
	binary.BigEndian.PutUint16(m[2:], ^tundev.Sum(pseudo, m))
	return n
}

// fragmentationNeeded makes an ICMP Destination Unreachable, code 4 (RFC 1191, 4).
func fragmentationNeeded(b, cause []byte, mtu int) int {
	cause = cause[:min(len(cause), answerIPv4-headerLenIPv4-icmpHeaderLen)]
	n := headerLenIPv4 + icmpHeaderLen + len(cause)
	clear(b[:headerLenIPv4+icmpHeaderLen])
	b[0], b[8], b[9] = 0x45, 64, protocolICMP
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	copy(b[12:16], cause[16:20])
	copy(b[16:20], cause[12:16])
	binary.BigEndian.PutUint16(b[10:], ^tundev.Sum(0, b[:headerLenIPv4]))
	m := b[headerLenIPv4:n]
	m[0], m[1] = 3, 4
	binary.BigEndian.PutUint16(m[6:], uint16(mtu))
	copy(m[icmpHeaderLen:], cause)
	binary.BigEndian.PutUint16(m[2:], ^tundev.Sum(0, m))
	return n
}
