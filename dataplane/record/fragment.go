package record

import "encoding/binary"

// A FRAGMENT frame is a part of a packet that is longer than a record takes.
//
//	+---------------+---------------+-------------------------------+
//	|  type = 0x03  |     flags     |            8 + part           |
//	+---------------+---------------+-------------------------------+
//	|                        identification                         |
//	+-------------------------------+-------------------------------+
//	|      length of the packet     |  offset of the part in it     |
//	+-------------------------------+-------------------------------+
//	|  part ...
//	+----------------

// FrameFragment is the type of a FRAGMENT frame.
const FrameFragment FrameType = 0x03

// FragmentHeaderLen is the length of the header of a FRAGMENT frame.
const FragmentHeaderLen = 12

// Fragment is the header of a FRAGMENT frame.
type Fragment struct {
	Flags  byte   // of the PACKET frame that the whole packet would have been
	ID     uint32 // the same in all parts of a packet
	Total  int    // length of the packet
	Offset int    // of the part
}

// Put writes the header of a frame with a part of n octets.
func (f Fragment) Put(b []byte, n int) {
	_ = b[FragmentHeaderLen-1]
	b[0], b[1] = byte(FrameFragment), f.Flags
	binary.BigEndian.PutUint16(b[2:], uint16(FragmentHeaderLen-FrameHeaderLen+n))
	binary.BigEndian.PutUint32(b[4:], f.ID)
	binary.BigEndian.PutUint16(b[8:], uint16(f.Total))
	binary.BigEndian.PutUint16(b[10:], uint16(f.Offset))
}

// Fragment reads the current frame, of type FrameFragment; the part is a part of the content. It is false
// where the part is empty or reaches out of the packet.
func (f *Frames) Fragment() (h Fragment, part []byte, ok bool) {
	b := f.content[f.start-FrameHeaderLen : f.next]
	if len(b) <= FragmentHeaderLen {
		return h, nil, false
	}
	h = Fragment{
		Flags: b[1], ID: binary.BigEndian.Uint32(b[4:]),
		Total: int(binary.BigEndian.Uint16(b[8:])), Offset: int(binary.BigEndian.Uint16(b[10:])),
	}
	part = b[FragmentHeaderLen:]
	return h, part, h.Offset+len(part) <= h.Total
}
