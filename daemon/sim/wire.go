package sim

import (
	"bytes"
	"net/netip"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

// nonce is what must never come again (I1). The key is known by its hash where the user plane
// got it, else by the context that its header names.
type nonce struct {
	key     [32]byte
	context planeName
	lcid    underlay.LCID
	count   uint64
}

type ledgerKey struct {
	process *process
	address netip.AddrPort
}

// ledger counts what strangers at an address sent, and got.
type ledger struct {
	received, sent   int // octets, while nothing proved the address
	datagrams, hints int
}

// received counts what comes in.
func (w *World) received(p *process, d Datagram) {
	l := w.ledger(p, d.From)
	l.datagrams++
	if h, _, err := underlay.Parse(d.Octets); err == nil && h.Destination == underlay.Broadcast {
		l.received += len(d.Octets)
	}
}

func (w *World) ledger(p *process, address netip.AddrPort) *ledger {
	key := ledgerKey{p, address}
	l := w.watch.ledgers[key]
	if l == nil {
		l = &ledger{}
		w.watch.ledgers[key] = l
	}
	return l
}

// sent judges a datagram of a daemon.
func (w *World) sent(p *process, d Datagram) {
	if p.over {
		w.fault("BUG: sim: %s sends after its end", p.host.Name)
	}
	if bytes.Contains(d.Octets, []byte(marker)) && !w.readable(p, d) {
		w.fault("C10: %s sent an inner packet in clear", p.host.Name)
	}
	h, pdu, err := underlay.Parse(d.Octets)
	if err != nil {
		w.fault("%s sent what is no datagram of ours: %x", p.host.Name, d.Octets)
		return
	}
	speaker := p.speaker
	p.speaker = nil
	if !h.LCID.UserData() {
		w.signalling++
	}
	switch {
	case h.LCID.UserData() && h.Form != underlay.FormHint:
		w.sentUserData(p, d)
	case speaker == nil || !bytes.Equal(speaker.speaking, d.Octets):
		w.sentToStranger(p, d)
	case h.Form == underlay.FormRecord:
		if r, _, _, err := record.ParseHeader(d.Octets); err == nil {
			w.spend(p, r.Header, r.Session, uint64(r.Count), [32]byte{})
		}
	case h.LCID != underlay.SRB0:
		if sn, session, err := pdcp.ParseHeader(pdu); err == nil {
			w.spend(p, h, session, uint64(sn), [32]byte{})
		}
	}
	if speaker != nil && speaker.unproved {
		w.sentToStranger(p, d)
	}
	if speaker != nil && speaker.released {
		w.fault("I7: %s sent after its end", speaker)
	}
}

// userData is a record or a PDU of user data as its header says.
type userData struct {
	underlay.Header
	plane   *plane
	session uint16
	count   uint64 // of a PDU: as long as none has sent more than its SN can tell
	bare    bool   // a PDU that nothing protects
	limit   uint64
}

// userData reads it; its plane is nil where nobody installed one.
func (w *World) userData(p *process, d Datagram) (u userData, err error) {
	var pdu []byte
	if u.Header, pdu, err = underlay.Parse(d.Octets); err != nil {
		return u, err
	}
	if u.Form == underlay.FormPDCP {
		h, err := pdcp.ParseData(pdu)
		u.session, u.count, u.limit, u.bare = h.Session, uint64(h.SN), pdcp.DataLimit, h.Session == 0
		if err != nil {
			return u, err
		}
	} else {
		r, _, _, err := record.ParseHeader(d.Octets)
		u.session, u.count, u.limit = r.Session, uint64(r.Count), uint64(record.Limit)
		if err != nil {
			return u, err
		}
	}
	u.plane = w.plane(p, link.Name{Local: u.Source, Peer: u.Destination, Session: keys.SessionID(u.session)})
	if u.bare {
		u.plane = w.barePlane(p, u.Header)
	}
	return u, nil
}

// barePlane finds the one that sends under these layer-2 IDs: K_NRP-sess ID 0 tells none apart.
func (w *World) barePlane(p *process, h underlay.Header) *plane {
	for _, l := range w.watch.every {
		if l.process != p || l.sending == nil || l.sending.removed || l.sending.agreement.UserPlane != (pc5s.UserPlaneConfiguration{}) {
			continue
		}
		for name, k := range w.watch.planes { // at most one fits
			if k == l.sending && name.Local == h.Source && name.Peer == h.Destination {
				return k
			}
		}
	}
	return nil
}

// readable tells whether a datagram is user data of a link whose ends agreed on no ciphering (R19).
func (w *World) readable(p *process, d Datagram) bool {
	u, err := w.userData(p, d)
	return err == nil && u.LCID.UserData() && u.plane != nil && !u.plane.agreement.UserPlane.Ciphering
}

// sentUserData checks that user data is in the form agreed on, under keys that are installed, and below
// their limit.
func (w *World) sentUserData(p *process, d Datagram) {
	u, err := w.userData(p, d)
	k := u.plane
	switch {
	case err != nil:
		w.fault("%s sent bad user data: %v", p.host.Name, err)
		return
	case k == nil:
		w.fault("I7: %s sent user data under keys that nobody installed", p.host.Name)
		return
	case k.removed:
		w.fault("I7: %s sent user data under keys that were withdrawn", k.life)
	case k != k.life.sending:
		w.fault("I7: %s sent user data under keys that were not activated, or no more", k.life)
	case (u.Form == underlay.FormPDCP) != (k.agreement.Suite == suite.None):
		w.fault("I7: %s sent user data in another form than agreed", k.life)
	case u.count >= u.limit:
		w.fault("I7: %s sent past the limit of its key", k.life)
	}
	if u.bare { // no key is used
		return
	}
	w.spend(p, u.Header, u.session, u.count, k.send)
}

// spend enters a nonce (I1).
func (w *World) spend(p *process, h underlay.Header, session uint16, count uint64, key [32]byte) {
	n := nonce{key: key, lcid: h.LCID, count: count}
	if h.LCID == underlay.DRBSparse { // one key and one COUNT for both
		n.lcid = underlay.DRB
	}
	if key == ([32]byte{}) {
		n.context = nameOf(p, link.Name{Local: h.Source, Peer: h.Destination, Session: keys.SessionID(session)})
	}
	if w.watch.nonces[n] {
		w.fault("I1: %s used COUNT %d of session %04x on %s again", p.host.Name, count, session, h.LCID)
	}
	w.watch.nonces[n] = true
}

// sentToStranger checks that who proved no address gets no more than was sent from there (I6, T34):
// from the door, and from a responder of psk-dhe.
func (w *World) sentToStranger(p *process, d Datagram) {
	l := w.ledger(p, d.To)
	if len(d.Octets) == underlay.HeaderLen { // an unknown-link hint: each has a cause, which is longer
		if l.hints++; l.hints > l.datagrams {
			w.fault("I6: %s sent %d hints to %s, which sent %d datagrams", p.host.Name, l.hints, d.To, l.datagrams)
		}
		return
	}
	l.sent += len(d.Octets)
	if l.sent > l.received {
		w.fault("I6: %s sent %d octets to %s, which is not validated and sent %d", p.host.Name, l.sent, d.To, l.received)
	}
}
