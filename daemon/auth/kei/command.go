package kei

import "fmt"

// Command is the psk-dhe container of a security mode command: the answer to an offer. Its
// fragment holds TLVs.
type Command struct {
	Tag   [8]byte // of the request that it answers
	Share [ShareLen]byte
}

// AppendTo appends the octets of a command.
func (c *Command) AppendTo(b []byte) []byte {
	outer := Container{Method: PSKDHE, Tag: c.Tag, Fragment: appendTLV(nil, tlvShare, c.Share[:])}
	return outer.AppendTo(b)
}

// ParseCommand reads a psk-dhe command: unknown TLVs are ignored, the share must be there.
func ParseCommand(b []byte) (*Command, error) {
	outer, err := Parse(b)
	if err != nil {
		return nil, err
	}
	if outer.Method != PSKDHE || outer.flags() != 0 {
		return nil, fmt.Errorf("%w: no psk-dhe command", ErrMalformed)
	}
	var share *[ShareLen]byte
	err = eachTLV(outer.Fragment, func(t byte, value []byte) error {
		if t == tlvShare {
			return fixed(&share, value)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if share == nil {
		return nil, fmt.Errorf("%w: psk-dhe command without a share", ErrMalformed)
	}
	return &Command{Tag: outer.Tag, Share: *share}, nil
}
