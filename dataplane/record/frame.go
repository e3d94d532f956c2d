package record

import "errors"

// FrameType is the type of a frame.
type FrameType uint8

const (
	FramePad    FrameType = 0x00
	FramePacket FrameType = 0x01
)

const (
	// FrameHeaderLen is the length of the header of a frame.
	FrameHeaderLen = 4
	// MaxPacket is the longest packet that fits a record of ContentLen.
	MaxPacket = ContentLen - FrameHeaderLen

	padTo = 128
)

// ErrFrame says that a frame claims more than the content holds, or holds nothing.
var ErrFrame = errors.New("record: a frame does not fit the record")

// AppendPacket appends a PACKET frame. The packet has 1 to 65535 octets.
func AppendPacket(dst, packet []byte) []byte {
	dst = append(dst, byte(FramePacket), 0, byte(len(packet)>>8), byte(len(packet)))
	return append(dst, packet...)
}

// PartialChecksum is the flag of a PACKET frame whose TCP or UDP checksum has the pseudo header summed
// up only: nobody computes it in user space.
const PartialChecksum = 0x1

// PutPacketHeader writes the header of a PACKET frame of n octets in front of a packet that
// already stands at b[FrameHeaderLen:].
func PutPacketHeader(b []byte, flags byte, n int) {
	_ = b[FrameHeaderLen-1]
	b[0], b[1], b[2], b[3] = byte(FramePacket), flags, byte(n>>8), byte(n)
}

// PaddedLen is n rounded up to a multiple of 128.
func PaddedLen(n int) int { return (n + padTo - 1) &^ (padTo - 1) }

// AppendPad pads the frames that start at dst[from] to a multiple of 128.
func AppendPad(dst []byte, from int) []byte {
	n := PaddedLen(len(dst)-from) - (len(dst) - from)
	return append(dst, zeros[:n]...)
}

var zeros [padTo]byte

// Frames walks the frames of an opened record.
type Frames struct {
	content []byte
	next    int // where the next frame starts
	start   int // where the current payload starts
	kind    FrameType
	err     error
}

// NewFrames walks content; the payloads are parts of it.
func NewFrames(content []byte) Frames { return Frames{content: content} }

// Next goes to the next frame. It is false at the end, at padding and at a malformed frame.
func (f *Frames) Next() bool {
	rest := f.content[f.next:]
	if f.err != nil || len(rest) == 0 || FrameType(rest[0]) == FramePad {
		return false
	}
	if len(rest) < FrameHeaderLen {
		f.err = ErrFrame
		return false
	}
	n := int(rest[2])<<8 | int(rest[3])
	if n == 0 || n > len(rest)-FrameHeaderLen {
		f.err = ErrFrame
		return false
	}
	f.kind = FrameType(rest[0])
	f.start = f.next + FrameHeaderLen
	f.next = f.start + n
	return true
}

// Type is the type of the current frame.
func (f *Frames) Type() FrameType { return f.kind }

// Flags is the second octet of the current frame.
func (f *Frames) Flags() byte { return f.content[f.start-FrameHeaderLen+1] }

// Payload is the payload of the current frame.
func (f *Frames) Payload() []byte { return f.content[f.start:f.next] }

// Offset is where the current payload starts in the content.
func (f *Frames) Offset() int { return f.start }

// Err tells why the walk ended early.
func (f *Frames) Err() error { return f.err }
