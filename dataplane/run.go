package dataplane

import (
	"bytes"
	"errors"

	"golang.org/x/sys/unix"

	"pc5d/dataplane/record"
	"pc5d/dataplane/tundev"
)

const (
	// fewOctets are so little for a batch that it may be all that is on its way.
	fewOctets = 24 << 10
	// partSegments of few are written at once: TCP acknowledges a part, so that there is more than one
	// acknowledgement to lose.
	partSegments = 4
)

// run puts slices of a super-packet together that arrive one after the other, and writes them to the
// device once: as the super-packet, or where slices are missing as the segments that are there.
type run struct {
	context *keyContext // nil: there is none
	first   record.Segment
	next    int   // offset of the slice that continues it
	last    bool  // nothing can
	class   uint8 // traffic class of the datagrams
	headers tundev.Headers
	buffer  []byte // virtio-net header, headers, payload
	length  int    // of headers and payload
}

// packetAt is where the packet stands in the buffer of a run: its payload, over IPv4 with timestamps, at a
// multiple of 64.
const packetAt = 76

func newRun() run { return run{buffer: make([]byte, packetAt+maxRead+1)} }

// continues tells whether a slice belongs behind those that are there.
func (r *run) continues(k *keyContext, class uint8, s record.Segment, headers, slice []byte) bool {
	return r.context == k && r.class == class && !r.last && s.Offset == r.next && s.Kind == r.first.Kind && s.Size == r.first.Size && s.ECN == r.first.ECN &&
		r.length+len(slice) <= maxRead && bytes.Equal(headers, r.buffer[packetAt:packetAt+r.first.HeaderLen])
}

// begin starts with a slice whose headers say what they are. It is false where they lie.
func (r *run) begin(k *keyContext, class uint8, s record.Segment, headers []byte) bool {
	h, ok := tundev.ParseTCP(headers)
	version := byte(4)
	if s.Kind == record.TCPv6 {
		version = 6
	}
	if !ok || h.All != s.HeaderLen || headers[0]>>4 != version || s.Kind != record.TCPv4 && s.Kind != record.TCPv6 || s.Size < smallestSegment {
		return false
	}
	r.context, r.class, r.first, r.headers, r.next, r.last = k, class, s, h, s.Offset, false
	r.length = copy(r.buffer[packetAt:], headers)
	return true
}

func (r *run) add(s record.Segment, slice []byte) {
	r.length += copy(r.buffer[packetAt+r.length:], slice)
	r.next, r.last = s.Offset+len(slice), s.Last
}

// finish makes one packet of the run, behind its virtio-net header.
func (r *run) finish() (h tundev.Header, packet []byte) {
	packet = r.buffer[packetAt : packetAt+r.length]
	tundev.Cut(packet, r.headers, r.first.Offset, r.first.Size, r.last, r.first.ECN)
	tundev.PutLengths(packet, r.headers)
	h = tundev.Header{Flags: tundev.NeedsChecksum, HeaderLen: uint16(r.headers.All), ChecksumStart: uint16(r.headers.IP), Checksum: 16}
	if r.length-r.headers.All > r.first.Size {
		h.GSOSize, h.GSOType = uint16(r.first.Size), tundev.GSOTCPv4
		if r.first.Kind == record.TCPv6 {
			h.GSOType = tundev.GSOTCPv6
		}
		if r.first.ECN {
			h.GSOType |= tundev.GSOECN
		}
	}
	h.Put(r.buffer[packetAt-tundev.HeaderLen:])
	return h, packet
}

// segments is the number of packets that the run stands for.
func (r *run) segments() int {
	return (r.length - r.headers.All + r.first.Size - 1) / r.first.Size
}

// part tells whether the run is worth a write of its own, and ends where a segment does.
func (r *run) part() bool { return r.next%r.first.Size == 0 && r.segments() >= partSegments }

// slice takes the current frame of a record, a slice of a super-packet.
func (r *receiver) slice(k *keyContext, frames *record.Frames) {
	s, headers, slice, ok := frames.Segment()
	if !ok {
		k.link.drops.add(DropBadFrame, 1)
		return
	}
	if !r.run.continues(k, r.class, s, headers, slice) {
		r.flush()
		if !r.run.begin(k, r.class, s, headers) {
			r.run.context = nil
			k.link.drops.add(DropInnerMalformed, 1)
			return
		}
	}
	r.run.add(s, slice)
	if s.Last || r.few && r.run.part() {
		r.flush()
	}
}

// flush writes the run.
func (r *receiver) flush() {
	k := r.run.context
	if k == nil {
		return
	}
	r.run.context = nil
	h, packet := r.run.finish()
	packets := r.run.segments()
	if reason, ok := k.admit(packet, r.run.class); !ok {
		k.link.drops.add(reason, packets)
		return
	}
	if err := k.link.put(h, r.run.buffer[packetAt-tundev.HeaderLen:packetAt+r.run.length]); err != nil {
		k.link.drops.add(deviceDrop(err), packets)
		return
	}
	k.link.received.add(packets, len(packet), 0)
	if k.receive.deliver(len(packet)) {
		r.notices.exhaust(k)
	}
}

// put writes a packet behind its virtio-net header. A device that takes no super-packets of a kind gets
// segments from then on.
func (l *Link) put(h tundev.Header, b []byte) error {
	cuts := &l.cuts
	if h.GSOType == tundev.GSOUDP {
		cuts = &l.cutsUDP
	}
	if h.Super() && cuts.Load() {
		return tundev.Segment(h, b[tundev.HeaderLen:], l.putPlain)
	}
	_, err := l.device.Write(b)
	if h.Super() && errors.Is(err, unix.EINVAL) {
		cuts.Store(true)
		return tundev.Segment(h, b[tundev.HeaderLen:], l.putPlain)
	}
	return err
}

func (l *Link) putPlain(segment []byte) error {
	_, err := l.device.Write(append(make([]byte, tundev.HeaderLen), segment...))
	return err
}
