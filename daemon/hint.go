package daemon

import (
	"net/netip"
	"sync"
	"time"

	"pc5d/dataplane"
	"pc5d/dataplane/underlay"
)

const (
	hintsPerSecond = 10
	hintInterval   = time.Second / hintsPerSecond
)

// hinter tells senders that nobody here knows their link: after a restart without state that is
// how a peer finds out soon. Extension: form 2 of the underlay header. It is a hint, believed by
// nobody, never longer than its cause, and bounded for all senders together. A node with a gate gives none
// (T20).
type hinter struct {
	mu   sync.Mutex
	next time.Time // not before
}

// allow takes one of the hints of a second.
func (h *hinter) allow(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Before(h.next) {
		return false
	}
	h.next = now.Add(hintInterval)
	return true
}

// Stray follows a record or PDU of user data that no link has.
func (n *Node) Stray(port dataplane.Port, from netip.AddrPort, h underlay.Header) {
	n.hint(port, from, h)
}

// hint answers a datagram of an established link that is not known here.
func (n *Node) hint(port dataplane.Port, from netip.AddrPort, h underlay.Header) {
	protected := h.Form == underlay.FormRecord || h.Form == underlay.FormPDCP && (h.LCID == underlay.SRB1 || h.LCID == underlay.SRB2 || h.LCID == underlay.DRB)
	if n.cfg.Provisioning.Node.Gate || !protected || !h.Source.Assignable() || !h.Destination.Assignable() || !n.hinter.allow(n.now()) {
		return
	}
	answer := underlay.Header{Form: underlay.FormHint, Destination: h.Source, Source: h.Destination, LCID: h.LCID}
	n.door.queue.Post(func() { n.send(port, from, answer.AppendTo(nil)) }) // never from an engine's worker
}
