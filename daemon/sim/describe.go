package sim

import (
	"fmt"

	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/underlay"
)

// Describe says what a datagram seems to be, as far as one without keys can tell.
func Describe(datagram []byte) string {
	h, pdu, err := underlay.Parse(datagram)
	if err != nil {
		return fmt.Sprintf("%d octets: %v", len(datagram), err)
	}
	return fmt.Sprintf("%s>%s %s %s, %d octets", h.Source, h.Destination, h.LCID, describePDU(h, datagram, pdu), len(datagram))
}

func describePDU(h underlay.Header, datagram, pdu []byte) string {
	switch {
	case h.Form == underlay.FormRecord:
		r, _, _, err := record.ParseHeader(datagram)
		if err != nil {
			return "bad record"
		}
		return fmt.Sprintf("record %04x/%d", r.Session, r.Count)
	case h.Form != underlay.FormPDCP:
		return h.Form.String()
	case h.LCID == underlay.SRB0:
		_, sdu, err := pdcp.ParseUnprotected(pdu)
		if err != nil || len(sdu) == 0 {
			return "bad PDU"
		}
		return pc5s.MessageType(sdu[0]).String()
	}
	if h.LCID == underlay.DRB {
		d, err := pdcp.ParseData(pdu)
		if err != nil {
			return "bad PDU"
		}
		return fmt.Sprintf("PDU %04x/%d", d.Session, d.SN)
	}
	sn, session, err := pdcp.ParseHeader(pdu)
	if err != nil {
		return "bad PDU"
	}
	if sdu, err := pdcp.PeekClear(pdu); err == nil && len(sdu) > 0 && pc5s.MessageType(sdu[0]) == pc5s.MessageDirectLinkSecurityModeCommand {
		return fmt.Sprintf("%s %04x/%d", pc5s.MessageDirectLinkSecurityModeCommand, session, sn)
	}
	return fmt.Sprintf("protected %04x/%d", session, sn)
}
