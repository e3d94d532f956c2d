package lab

import (
	"encoding/binary"
	"net/netip"

	"pc5d/dataplane/underlay"
)

// Clear is what anyone on the path reads in a datagram of pc5d, without any key.
type Clear struct {
	From, To netip.AddrPort
	Header   underlay.Header
	Session  uint16 // K_NRP-sess ID; 0: none
	Count    uint64 // of a record
	Sequence uint16 // of a PDCP PDU on SL-SRB1 or SL-SRB2
	Numbered number
}

// number says which of its two numbers a datagram carries.
type number uint8

const (
	unnumbered number = iota
	byCount
	bySequence
)

const (
	// near is how far apart two COUNTs of one flow may be for an observer.
	near = 1 << 20
	// nearSequence is the same for the 12 bits of a PDCP SN.
	nearSequence = 64
	// fresh is below what numbers tell nothing: every link that has new keys shows them.
	fresh = 16
)

// Read reads a datagram as an observer does.
func Read(d Datagram) (Clear, bool) {
	h, pdu, err := underlay.Parse(d.Payload)
	if err != nil {
		return Clear{}, false
	}
	c := Clear{From: d.From, To: d.To, Header: h}
	switch {
	case h.Form == underlay.FormRecord && len(pdu) >= 8:
		c.Session, c.Numbered = binary.BigEndian.Uint16(pdu), byCount
		c.Count = uint64(binary.BigEndian.Uint16(pdu[2:]))<<32 | uint64(binary.BigEndian.Uint32(pdu[4:]))
	case h.Form == underlay.FormPDCP && h.LCID != underlay.SRB0 && len(pdu) >= 4:
		c.Session, c.Numbered = binary.BigEndian.Uint16(pdu[2:]), bySequence
		c.Sequence = binary.BigEndian.Uint16(pdu) & 0xfff
	}
	return c, true
}

// Joins names the clear fields by which an observer takes b for a datagram of the same link as c,
// which came earlier. Addresses, sizes and times are not looked at: they stay.
func (c Clear) Joins(b Clear) []string {
	var by []string
	for _, id := range []underlay.LayerTwoID{c.Header.Source, c.Header.Destination} {
		if id.Assignable() && (id == b.Header.Source || id == b.Header.Destination) {
			by = append(by, "layer-2 ID")
			break
		}
	}
	if c.Session != 0 && c.Session == b.Session {
		by = append(by, "K_NRP-sess ID")
	}
	if c.From.Addr() != b.From.Addr() {
		return by
	}
	if c.From.Port() == b.From.Port() {
		by = append(by, "source port")
	}
	if c.To == b.To {
		by = append(by, "destination port")
	}
	userData := c.Header.LCID.UserData() && b.Header.LCID.UserData() // one COUNT for both channels
	sameFlow := c.Numbered == b.Numbered && c.Header.Form == b.Header.Form && (c.Header.LCID == b.Header.LCID || userData)
	switch {
	case !sameFlow:
	case c.Numbered == byCount && b.Count >= fresh && b.Count+near > c.Count && b.Count < c.Count+near:
		by = append(by, "COUNT")
	case c.Numbered == bySequence && b.Sequence >= fresh && (b.Sequence-c.Sequence)&0xfff < nearSequence:
		by = append(by, "PDCP SN")
	}
	return by
}
