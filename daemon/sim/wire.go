package sim

import (
	"bytes"
	"net/netip"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
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
	case h.Form == underlay.FormRecord && h.LCID.UserData():
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

// readable tells whether a datagram is a record of a link whose ends agreed on no ciphering (R19).
func (w *World) readable(p *process, d Datagram) bool {
	r, _, _, err := record.ParseHeader(d.Octets)
	if err != nil || !r.LCID.UserData() {
		return false
	}
	k := w.plane(p, link.Name{Local: r.Source, Peer: r.Destination, Session: keys.SessionID(r.Session)})
	return k != nil && !k.agreement.UserPlane.Ciphering
}

// sentUserData checks that a record is under keys that are installed, and below their limit.
func (w *World) sentUserData(p *process, d Datagram) {
	r, _, _, err := record.ParseHeader(d.Octets)
	if err != nil {
		w.fault("%s sent a bad record: %v", p.host.Name, err)
		return
	}
	k := w.plane(p, link.Name{Local: r.Source, Peer: r.Destination, Session: keys.SessionID(r.Session)})
	switch {
	case k == nil:
		w.fault("I7: %s sent a record under keys that nobody installed", p.host.Name)
		return
	case k.removed:
		w.fault("I7: %s sent a record under keys that were withdrawn", k.life)
	case k != k.life.sending:
		w.fault("I7: %s sent a record under keys that were not activated, or no more", k.life)
	case r.Count >= record.Limit:
		w.fault("I7: %s sent past the limit of its key", k.life)
	}
	w.spend(p, r.Header, r.Session, uint64(r.Count), k.send)
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
