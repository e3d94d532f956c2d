package dataplane

import (
	"errors"
	"fmt"
	"sync/atomic"

	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

// leastMTU is what every path of IPv6 takes (RFC 8200, 5). Packets up to it are never refused.
const leastMTU = 1280

// Path is what the way to a peer takes. The zero value takes whole records of record.ContentLen.
type Path struct {
	ContentLen int // of records: from record.BaseContentLen in steps of 128 to record.ContentLen
	// Searching says that ContentLen may grow soon: senders are not told to make smaller packets, theirs
	// leave in parts meanwhile.
	Searching bool
}

// unknownPath is any path until it was probed.
var unknownPath = Path{ContentLen: record.BaseContentLen, Searching: true}

// packetLen is the longest packet that a record takes.
func (p Path) packetLen() int { return p.ContentLen - record.FrameHeaderLen }

// PacketLenPDU is the longest packet of a PDU of the standard form that is no longer than a record with so
// much content.
func PacketLenPDU(contentLen int) int {
	return min(record.MaxPacket, contentLen+record.Overhead-underlay.HeaderLen-pdcp.DataOverhead)
}

// orDefault is the path with its content length; a wrong one is an error.
func (p Path) orDefault() (Path, error) {
	if p.ContentLen == 0 {
		p.ContentLen = record.ContentLen
	}
	if p.ContentLen < record.BaseContentLen || p.ContentLen > record.ContentLen || p.ContentLen%128 != 0 {
		return p, fmt.Errorf("local content length of %d octets is none: %d to %d in steps of 128", p.ContentLen, record.BaseContentLen, record.ContentLen)
	}
	return p, nil
}

// refusal remembers that the socket found records of an outlet too long for the path: it is told once.
type refusal struct{ told atomic.Bool }

// first is true for an error that says so, the first time.
func (r *refusal) first(err error) bool {
	return errors.Is(err, udp.ErrTooLong) && r.told.CompareAndSwap(false, true)
}

// unsent is why datagrams of a context did not leave.
func (t *transmitter) unsent(k *keyContext, out *outlet, err error) Drop {
	if out.refusal.first(err) {
		t.notices.long = k
	}
	if errors.Is(err, udp.ErrTooLong) {
		return DropTooBig
	}
	return DropSendFailed
}

// SetPath changes how long the records of a context are from the next batch on, and lets Config.TooLong
// be called once more.
func (l *Link) SetPath(id ContextID, p Path) error {
	p, err := p.orDefault()
	if err != nil {
		return fmt.Errorf("dataplane: link %s: %w", l.name, err)
	}
	return l.redirect(id, func(o *outlet) { o.path = p })
}
