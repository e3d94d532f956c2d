package daemon

import (
	"context"
	"log/slog"
	"net/netip"

	"pc5d/daemon/link"
	"pc5d/dataplane"
	"pc5d/dataplane/underlay"
)

// Receive takes one signalling datagram from the engine, valid during the call only. It waits for
// nobody, and for whom it does not know it allocates nothing (T30). Strangers knock at the first port
// only, whose datagrams come one at a time.
func (n *Node) Receive(port dataplane.Port, from netip.AddrPort, datagram []byte) {
	h, _, err := underlay.Parse(datagram)
	if err != nil {
		n.dropped(link.DropMalformed)
		return
	}
	if h.Destination == underlay.Broadcast && port == (dataplane.Port{}) {
		n.door.receive(from, datagram)
		return
	}
	r := n.demux.find(h)
	if r == nil {
		n.dropped(link.DropNotForUs)
		n.hint(port, from, h)
		return
	}
	if !r.deliver(packet{from, datagram}) {
		n.refused.Add(1)
	}
}

func (n *Node) send(port dataplane.Port, to netip.AddrPort, datagram []byte) {
	if err := n.cfg.Engine.SendSignalling(port, to, datagram); err != nil {
		n.log.Debug("send", "error", err)
	}
}

// dropped counts an input that was dropped.
func (n *Node) dropped(err error) {
	d, ok := err.(link.Drop)
	if !ok {
		n.log.Debug("dropped", "error", err)
		return
	}
	n.drops[int(d)%len(n.drops)].Add(1)
	n.log.LogAttrs(context.Background(), slog.LevelDebug, "dropped", slog.String("reason", d.String()))
}
