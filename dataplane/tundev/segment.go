package tundev

import (
	"encoding/binary"
	"errors"
)

const (
	maxHeaders = 120 // the longest IP and TCP headers

	protocolTCP  = 6
	protocolUDP  = 17
	udpHeaderLen = 8

	tcpFIN, tcpPSH, tcpCWR = 0x01, 0x08, 0x80
)

var errSuper = errors.New("tundev: no TCP super-packet that can be cut")

// Headers are the lengths of the headers of a TCP packet.
type Headers struct{ IP, All int }

// ParseTCP reads the headers of one whole TCP packet over IPv4 or, without extension headers, over
// IPv6. It is false for everything else, also for fragments.
func ParseTCP(packet []byte) (Headers, bool) {
	h, ok := tcpHeaders(packet)
	return h, ok && len(packet) >= h.All
}

func tcpHeaders(p []byte) (h Headers, ok bool) {
	if len(p) < 20 {
		return h, false
	}
	switch p[0] >> 4 {
	case 4:
		h.IP = int(p[0]&0x0F) * 4
		if h.IP < 20 || p[9] != protocolTCP || binary.BigEndian.Uint16(p[6:])&0x3FFF != 0 {
			return h, false
		}
	case 6:
		h.IP = 40
		if len(p) < h.IP || p[6] != protocolTCP {
			return h, false
		}
	default:
		return h, false
	}
	if len(p) < h.IP+20 {
		return h, false
	}
	tcp := int(p[h.IP+12]>>4) * 4
	h.All = h.IP + tcp
	return h, tcp >= 20
}

// PutLengths makes the headers of a TCP packet fit its length: the lengths, and the checksum of IPv4.
// The TCP checksum field gets the sum over the pseudo header, for Header.Complete or the kernel.
func PutLengths(packet []byte, h Headers) {
	var pseudo uint16
	tcp := len(packet) - h.IP
	if packet[0]>>4 == 4 {
		binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
		packet[10], packet[11] = 0, 0
		binary.BigEndian.PutUint16(packet[10:], ^Sum(0, packet[:h.IP]))
		pseudo = Sum(uint32(protocolTCP+tcp), packet[12:20])
	} else {
		binary.BigEndian.PutUint16(packet[4:], uint16(tcp))
		pseudo = Sum(uint32(protocolTCP+tcp), packet[8:40])
	}
	binary.BigEndian.PutUint16(packet[h.IP+16:], pseudo)
}

// Cut makes the headers of a part of a super-packet: what stands from an offset of its payload on, to
// its end or not.
func Cut(headers []byte, h Headers, offset, size int, last, ecn bool) {
	if headers[0]>>4 == 4 && size > 0 {
		id := binary.BigEndian.Uint16(headers[4:])
		binary.BigEndian.PutUint16(headers[4:], id+uint16(offset/size))
	}
	sequence := headers[h.IP+4:]
	binary.BigEndian.PutUint32(sequence, binary.BigEndian.Uint32(sequence)+uint32(offset))
	flags := &headers[h.IP+13]
	if !last {
		*flags &^= tcpFIN | tcpPSH
	}
	if ecn && offset > 0 {
		*flags &^= tcpCWR
	}
}

// PutUDPLengths makes the headers of a UDP packet fit its length, as PutLengths does.
func PutUDPLengths(packet []byte, ip int) {
	var pseudo uint16
	udp := len(packet) - ip
	if packet[0]>>4 == 4 {
		binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
		packet[10], packet[11] = 0, 0
		binary.BigEndian.PutUint16(packet[10:], ^Sum(0, packet[:ip]))
		pseudo = Sum(uint32(protocolUDP+udp), packet[12:20])
	} else {
		binary.BigEndian.PutUint16(packet[4:], uint16(udp))
		pseudo = Sum(uint32(protocolUDP+udp), packet[8:40])
	}
	binary.BigEndian.PutUint16(packet[ip+4:], uint16(udp))
	binary.BigEndian.PutUint16(packet[ip+6:], pseudo)
}

// Datagrams cuts a super-packet of UDP into datagrams, whose checksum is left to do as h says of the
// super-packet's. out has room for one of them; emit must not keep what it gets.
func Datagrams(out []byte, h Header, packet []byte, emit func(datagram []byte) error) error {
	ip, size := int(h.ChecksumStart), int(h.GSOSize)
	if size == 0 || len(packet) <= ip+udpHeaderLen || ip < 20 || packet[0]>>4 == 6 && ip < 40 {
		return errSuper
	}
	payload := packet[ip+udpHeaderLen:]
	for offset := 0; offset < len(payload); offset += size {
		out = append(append(out[:0], packet[:ip+udpHeaderLen]...), payload[offset:min(offset+size, len(payload))]...)
		if packet[0]>>4 == 4 {
			binary.BigEndian.PutUint16(out[4:], binary.BigEndian.Uint16(packet[4:])+uint16(offset/size))
		}
		PutUDPLengths(out, ip)
		if err := emit(out); err != nil {
			return err
		}
	}
	return nil
}

// Segment cuts a super-packet as the kernel does, with whole checksums: for a device that does not
// take one. emit must not keep what it gets.
func Segment(h Header, packet []byte, emit func(segment []byte) error) error {
	return SegmentInto(make([]byte, 0, maxHeaders+int(h.GSOSize)), h, packet, emit)
}

// SegmentInto is Segment in memory of the caller's: out, where there is room for a segment.
func SegmentInto(out []byte, h Header, packet []byte, emit func(segment []byte) error) error {
	if h.GSOType == GSOUDP {
		sum := Header{Flags: NeedsChecksum, ChecksumStart: h.ChecksumStart, Checksum: 6}
		return Datagrams(out, h, packet, func(datagram []byte) error {
			if err := sum.Complete(datagram); err != nil {
				return err
			}
			return emit(datagram)
		})
	}
	headers, ok := ParseTCP(packet)
	size := int(h.GSOSize)
	if !ok || size == 0 || h.Flags&NeedsChecksum == 0 {
		return errSuper
	}
	payload := packet[headers.All:]
	for offset := 0; offset < len(payload); offset += size {
		end := min(offset+size, len(payload))
		out = append(append(out[:0], packet[:headers.All]...), payload[offset:end]...)
		Cut(out, headers, offset, size, end == len(payload), h.GSOType&GSOECN != 0)
		PutLengths(out, headers)
		sum := Header{Flags: NeedsChecksum, ChecksumStart: uint16(headers.IP), Checksum: 16}
		if err := sum.Complete(out); err != nil {
			return err
		}
		if err := emit(out); err != nil {
			return err
		}
	}
	return nil
}
