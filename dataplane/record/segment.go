package record

import "encoding/binary"

// A SEGMENT frame is a slice of a TCP super-packet that the kernel handed over whole: the super-packet's
// headers as they were, and the slice. It stands alone: who gets some slices and not others has a TCP
// segment of each run of them.
//
//	+---------------+-------+-------+-------------------------------+
//	|  type = 0x02  | kind  | flags |   length of headers + slice   |
//	+---------------+-------+-------+-------------------------------+
//	| header length |  reserved = 0 |    segment size (gso_size)    |
//	+---------------+---------------+-------------------------------+
//	|  reserved = 0 |      offset of the slice in the payload       |
//	+---------------+-----------------------------------------------+
//	|  headers: IP and TCP ...            |  slice ...
//	+-------------------------------------+-------------------------

// FrameSegment is the type of a SEGMENT frame.
const FrameSegment FrameType = 0x02

const (
	// SegmentHeaderLen is the length of the header of a SEGMENT frame, in front of the headers. With
	// IPv4 and TCP with timestamps it makes 64 octets.
	SegmentHeaderLen = 12

	flagLast = 0x1
	flagECN  = 0x2
)

// Kind says what headers a SEGMENT frame has.
type Kind uint8

const (
	TCPv4 Kind = 1
	TCPv6 Kind = 2
)

// Segment is the header of a SEGMENT frame.
type Segment struct {
	Kind      Kind
	Last      bool // slice of the super-packet: FIN and PSH are this one's
	ECN       bool // CWR is the first segment's alone
	HeaderLen int  // of the IP and TCP headers
	Size      int  // of the payload of the segments that the kernel is to make
	Offset    int  // of the slice in the payload of the super-packet; less than 2^24
}

// Put writes the header of a frame with a slice of n octets.
func (s Segment) Put(b []byte, n int) {
	_ = b[SegmentHeaderLen-1]
	var flags byte
	if s.Last {
		flags |= flagLast
	}
	if s.ECN {
		flags |= flagECN
	}
	b[0], b[1] = byte(FrameSegment), byte(s.Kind)<<4|flags
	binary.BigEndian.PutUint16(b[2:], uint16(SegmentHeaderLen-FrameHeaderLen+s.HeaderLen+n))
	b[4], b[5] = byte(s.HeaderLen), 0
	binary.BigEndian.PutUint16(b[6:], uint16(s.Size))
	binary.BigEndian.PutUint32(b[8:], uint32(s.Offset))
}

// Segment reads the current frame, of type FrameSegment: its headers and its slice are parts of the
// content. It is false where the frame is too short for what it says.
func (f *Frames) Segment() (s Segment, headers, slice []byte, ok bool) {
	b := f.content[f.start-FrameHeaderLen : f.next]
	if len(b) < SegmentHeaderLen {
		return s, nil, nil, false
	}
	s = Segment{
		Kind: Kind(b[1] >> 4), Last: b[1]&flagLast != 0, ECN: b[1]&flagECN != 0, HeaderLen: int(b[4]),
		Size: int(binary.BigEndian.Uint16(b[6:])), Offset: int(binary.BigEndian.Uint32(b[8:]) & 0xFFFFFF),
	}
	end := SegmentHeaderLen + s.HeaderLen
	if len(b) <= end {
		return s, nil, nil, false
	}
	return s, b[SegmentHeaderLen:end], b[end:], true
}
