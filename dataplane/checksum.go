package dataplane

import (
	"pc5d/dataplane/record"
	"pc5d/dataplane/tundev"
)

const (
	protocolTCP = 6
	protocolUDP = 17
)

// partial is where the kernel finishes the checksum of a whole TCP or UDP packet. It is false for
// everything else.
func partial(packet []byte) (h tundev.Header, ok bool) {
	if len(packet) < headerLenIPv4 {
		return h, false
	}
	protocol, start := packet[9], int(packet[0]&0x0F)*4
	if packet[0]>>4 == 6 {
		protocol, start = packet[6], headerLenIPv6
	}
	at := 16
	if protocol == protocolUDP {
		at = 6
	}
	if protocol != protocolTCP && protocol != protocolUDP || len(packet) < start+at+2 {
		return h, false
	}
	return tundev.Header{Flags: tundev.NeedsChecksum, ChecksumStart: uint16(start), Checksum: uint16(at)}, true
}

// leave gives the flags of a PACKET frame: a checksum of the usual place is left to the kernel behind the
// other end, another one is finished here. It is false where there is no such place.
func leave(h tundev.Header, packet []byte) (flags byte, ok bool) {
	if h.Flags&tundev.NeedsChecksum == 0 {
		return 0, true
	}
	if usual, ok := partial(packet); ok && usual.ChecksumStart == h.ChecksumStart && usual.Checksum == h.Checksum {
		return record.PartialChecksum, true
	}
	return 0, h.Complete(packet) == nil
}
