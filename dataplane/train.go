package dataplane

import (
	"bytes"
	"encoding/binary"

	"pc5d/dataplane/tundev"
)

const (
	udpHeaderLen = 8
	// maxTrain is how many datagrams the kernel takes as one (64 before Linux 6.9).
	maxTrain = 64
)

// train puts datagrams of one UDP flow together that arrive one after the other and differ in their
// payload only, and writes them to the device once: the kernel makes them datagrams again where somebody
// wants them alone. Only such as left their checksum to the kernel: one that was computed stays as it is.
type train struct {
	context *keyContext // nil: there is none
	ip, all int         // lengths of the headers
	size    int         // of the payload of each datagram, the last may be shorter
	count   int
	closed  bool   // a shorter one has ended it
	buffer  []byte // virtio-net header, headers, payloads
	length  int
}

func newTrain() train { return train{buffer: make([]byte, packetAt+maxRead+1)} }

// udpHeaders gives the lengths of the headers of a whole UDP packet whose lengths agree, that is no
// fragment and has no extension headers.
func udpHeaders(p []byte) (ip int, ok bool) {
	if p[0]>>4 == 4 {
		ip = int(p[0]&0x0F) * 4
		ok = p[9] == protocolUDP && binary.BigEndian.Uint16(p[6:])&0x3FFF == 0
	} else {
		ip = headerLenIPv6
		ok = p[6] == protocolUDP
	}
	return ip, ok && len(p) > ip+udpHeaderLen && int(binary.BigEndian.Uint16(p[ip+4:])) == len(p)-ip
}

// take adds a datagram to the train or begins one with it. It is false where the packet is none, or does
// not belong to the train that is there.
func (t *train) take(k *keyContext, packet []byte) bool {
	ip, ok := udpHeaders(packet)
	if !ok {
		return false
	}
	if t.context == nil {
		*t = train{context: k, ip: ip, all: ip + udpHeaderLen, size: len(packet) - ip - udpHeaderLen, count: 1, buffer: t.buffer}
		t.length = copy(t.buffer[packetAt:], packet)
		return true
	}
	payload := packet[ip+udpHeaderLen:]
	if t.context != k || t.closed || t.count == maxTrain || ip != t.ip || len(payload) > t.size || t.length+len(payload) > maxRead || !t.follows(packet) {
		return false
	}
	t.length += copy(t.buffer[packetAt+t.length:], payload)
	t.count++
	t.closed = len(payload) < t.size
	return true
}

// follows compares the headers, but for lengths and checksums. The IDs that the kernel gives are those of
// the datagrams, or nobody looks at them (RFC 6864).
func (t *train) follows(packet []byte) bool {
	first := t.buffer[packetAt:]
	if !bytes.Equal(first[t.ip:t.ip+4], packet[t.ip:t.ip+4]) { // ports
		return false
	}
	if packet[0]>>4 == 6 {
		return bytes.Equal(first[:4], packet[:4]) && bytes.Equal(first[6:headerLenIPv6], packet[6:headerLenIPv6])
	}
	id := binary.BigEndian.Uint16(first[4:]) + uint16(t.count)
	return bytes.Equal(first[:2], packet[:2]) && bytes.Equal(first[6:10], packet[6:10]) && bytes.Equal(first[12:t.ip], packet[12:t.ip]) &&
		(packet[6]&0x40 != 0 || binary.BigEndian.Uint16(packet[4:]) == id)
}

// finish makes one packet of the train, behind its virtio-net header.
func (t *train) finish() (h tundev.Header, packet []byte) {
	packet = t.buffer[packetAt : packetAt+t.length]
	h = tundev.Header{Flags: tundev.NeedsChecksum, HeaderLen: uint16(t.all), ChecksumStart: uint16(t.ip), Checksum: 6}
	if t.count > 1 {
		h.GSOType, h.GSOSize = tundev.GSOUDP, uint16(t.size)
		tundev.PutUDPLengths(packet, t.ip)
	}
	h.Put(t.buffer[packetAt-tundev.HeaderLen:])
	return h, packet
}

// couple takes a packet whose checksum is left to the kernel, and writes what it does not follow.
func (r *receiver) couple(k *keyContext, packet []byte) bool {
	if r.train.take(k, packet) {
		return true
	}
	r.depart()
	return r.train.take(k, packet)
}

// depart writes the train.
func (r *receiver) depart() {
	t := &r.train
	k := t.context
	if k == nil {
		return
	}
	h, packet := t.finish()
	t.context = nil
	if err := k.link.put(h, t.buffer[packetAt-tundev.HeaderLen:packetAt+t.length]); err != nil {
		k.link.drops.add(deviceDrop(err), t.count)
		return
	}
	octets := len(packet) + (t.count-1)*t.all
	k.link.received.add(t.count, octets, 0)
	if k.receive.deliver(octets) {
		r.notices.exhaust(k)
	}
}
