package tundev

import (
	"encoding/binary"
	"errors"
)

// What a virtio-net header says (virtio 1.2, 5.1.6; linux/virtio_net.h).
const (
	NeedsChecksum = 0x01 // Flags: the checksum field holds the sum over the pseudo header only

	GSONone  = 0x00
	GSOTCPv4 = 0x01
	GSOTCPv6 = 0x04
	GSOUDP   = 0x05 // VIRTIO_NET_HDR_GSO_UDP_L4: datagrams of one size, the last may be shorter
	GSOECN   = 0x80 // beside a TCP type: the first segment alone has CWR
)

// Header is struct virtio_net_hdr: what the kernel left undone in a packet that it hands over, or what
// is left to it in one that it gets.
type Header struct {
	Flags, GSOType                              uint8
	HeaderLen, GSOSize, ChecksumStart, Checksum uint16 // Checksum: offset of the field from ChecksumStart
}

// ReadHeader reads the header in front of a packet; b has HeaderLen octets.
func ReadHeader(b []byte) Header {
	_ = b[HeaderLen-1]
	e := binary.NativeEndian
	return Header{
		Flags: b[0], GSOType: b[1], HeaderLen: e.Uint16(b[2:]), GSOSize: e.Uint16(b[4:]), ChecksumStart: e.Uint16(b[6:]), Checksum: e.Uint16(b[8:]),
	}
}

// Put writes the header in front of a packet; b has HeaderLen octets.
func (h Header) Put(b []byte) {
	_ = b[HeaderLen-1]
	e := binary.NativeEndian
	b[0], b[1] = h.Flags, h.GSOType
	e.PutUint16(b[2:], h.HeaderLen)
	e.PutUint16(b[4:], h.GSOSize)
	e.PutUint16(b[6:], h.ChecksumStart)
	e.PutUint16(b[8:], h.Checksum)
}

// Super tells whether the packet is to be cut into segments.
func (h Header) Super() bool { return h.GSOType != GSONone }

var errChecksum = errors.New("tundev: the checksum field is outside of the packet")

// Complete finishes the checksum of a packet that has only its pseudo header summed up.
func (h Header) Complete(packet []byte) error {
	if h.Flags&NeedsChecksum == 0 {
		return nil
	}
	start, at := int(h.ChecksumStart), int(h.ChecksumStart)+int(h.Checksum)
	if start > len(packet) || at+2 > len(packet) {
		return errChecksum
	}
	sum := ^Sum(0, packet[start:])
	if sum == 0 {
		sum = 0xFFFF // RFC 768: 0 says that there is none
	}
	binary.BigEndian.PutUint16(packet[at:], sum)
	return nil
}

// Sum is the ones' complement sum of octets, folded, on top of another one (RFC 1071).
func Sum(initial uint32, b []byte) uint16 {
	sum := uint64(initial)
	for len(b) >= 8 {
		sum += uint64(binary.BigEndian.Uint32(b)) + uint64(binary.BigEndian.Uint32(b[4:]))
		b = b[8:]
	}
	for len(b) >= 2 {
		sum += uint64(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	for sum > 0xFFFF {
		sum = sum>>16 + sum&0xFFFF
	}
	return uint16(sum)
}
