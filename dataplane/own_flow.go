package dataplane

import (
	"encoding/binary"

	"pc5d/dataplane/record"
	"pc5d/dataplane/underlay"
)

// ownFlow tells a packet that carries what this engine has sent: the host routes a link's own datagrams
// into a link. Sealed once more each would come back longer, for ever (T62).
func (t *transmitter) ownFlow(w *waiting, k *keyContext) bool {
	datagram := outerDatagram(w.packet())
	return datagram != nil && t.engine.sends(k, datagram)
}

// sends tells whether a datagram is one of this engine: a record of any link, or a PDU of the link of k. The layer-2 IDs say so, not addresses: hosts behind this one may have links of their own.
func (e *Engine) sends(k *keyContext, datagram []byte) bool {
	if h, _, _, err := record.ParseHeader(datagram); err == nil {
		_, ours := e.table.Load().contexts[newContextWord(h.Source, h.Destination, h.Session)]
		return ours
	}
	h, _, err := underlay.Parse(datagram)
	id := k.send.way().id
	return err == nil && h.Source == id.Local && h.Destination == id.Peer
}

// outerDatagram gives the payload of a UDP packet that may be a datagram of a link; nil for all others,
// and for the rest of a fragmented one.
func outerDatagram(p []byte) []byte {
	if len(p) < headerLenIPv4 {
		return nil
	}
	ip, protocol := headerLenIPv6, p[6]
	if p[0]>>4 == 4 {
		ip, protocol = int(p[0]&0x0f)*4, p[9]
		if binary.BigEndian.Uint16(p[6:])&0x1FFF != 0 {
			return nil
		}
	}
	if protocol != protocolUDP || len(p) < ip+udpHeaderLen+underlay.HeaderLen {
		return nil
	}
	datagram := p[ip+udpHeaderLen:]
	if _, _, ok := underlay.Peek(datagram); !ok {
		return nil
	}
	return datagram
}
