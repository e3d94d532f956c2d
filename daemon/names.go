package daemon

import (
	"net/netip"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/dataplane"
	"pc5d/dataplane/underlay"
)

// addName lets a link receive under new identifiers, signalling and user plane.
func (r *runner) addName(e link.AddName) {
	r.node.demux.add(e.Name.Local, r)
	r.node.demux.bind(e.Name.Local, e.Name.Peer, r)
	if err := r.keeper.plane.Alias(planeID(e.Of), planeID(e.Name)); err != nil {
		r.refused(err)
	}
}

// useName sends under the new identifiers, and from a new local port where the link wants one:
// the old port would tell who goes on under the new name (TS 24.554, 7.2.4; the port is an
// Extension).
func (r *runner) useName(e link.UseName) {
	r.bound = e.To.Peer
	r.changePort()
	if err := r.keeper.plane.Move(planeID(e.From), planeID(e.To), dataplane.Readdress{Skip: e.Skip, Port: r.port, Endpoint: e.Endpoint}); err != nil {
		r.refused(err)
	}
	r.path.use(e.To)
	r.notify(func(k *keeper) { k.renamed(r) })
}

// changePort opens another local port. Without one the link goes on from the old.
func (r *runner) changePort() {
	if !r.keeper.config.Privacy.Port {
		return
	}
	conn, err := r.node.cfg.OpenPort()
	if err == nil {
		var port dataplane.Port
		if port, err = r.node.cfg.Engine.AddPort(conn); err == nil {
			r.removePort(r.former)
			r.former, r.port = r.port, port
			return
		}
		conn.Close()
	}
	r.node.log.Warn("local: no new port: the link goes on from the old one", "link", r.keeper.link.Name, "error", err)
}

// removePort closes an added port; the first one stays.
func (r *runner) removePort(p dataplane.Port) {
	if p == (dataplane.Port{}) {
		return
	}
	if err := r.node.cfg.Engine.RemovePort(p); err != nil {
		r.node.log.Error("local: port stays open", "error", err)
	}
}

// dropName ends receiving under old identifiers. Peer is 0 where they were only reserved.
func (r *runner) dropName(n link.Name) {
	if n.Peer == 0 {
		r.node.demux.remove(n.Local, underlay.Broadcast, nil)
		return
	}
	r.keeper.plane.Unalias(planeID(n))
	r.node.demux.remove(n.Local, n.Peer, r)
	if r.gathering != nil && n.Local == r.gathering.local {
		r.gathering.leave(r)
		r.gathering = nil
	}
	r.removePort(r.former)
	r.former = dataplane.Port{}
}

// moved sends to where the peer is now.
func (r *runner) moved(e link.PeerMoved) {
	if err := r.keeper.plane.SetEndpoint(planeID(e.Name), e.Endpoint); err != nil {
		r.refused(err)
		return
	}
	r.path.moved(r.node.now())
	r.notify(func(k *keeper) { k.moved(r, e) })
}

// Stirred follows a link that was watched and has sent a packet. It may be called by a worker of
// the engine: it only posts.
func (n *Node) Stirred(name string) {
	n.current(name, func(r *runner) { r.machine.Stirred(n.now()) })
}

// Exhausting follows a key that has come to a soft limit: it is replaced.
func (n *Node) Exhausting(name string, id dataplane.ContextID) {
	context := link.Name{Local: id.Local, Peer: id.Peer, Session: keys.SessionID(id.Session)}
	n.current(name, func(r *runner) { r.machine.Exhausting(n.now(), context) })
}

// Moved follows a new address of this host: peers learn of it at once.
func (n *Node) Moved() {
	for _, k := range n.ordered() {
		n.current(k.link.Name, func(r *runner) { r.machine.Moved(n.now()) })
	}
}

// Elsewhere follows an established link whose peer was heard at another address. One that is between two
// sessions looks again.
func (n *Node) Elsewhere(name string, id dataplane.ContextID, from netip.AddrPort, octets int) {
	k := n.keeper(name)
	if k == nil {
		return
	}
	context := link.Name{Local: id.Local, Peer: id.Peer, Session: keys.SessionID(id.Session)}
	k.queue.Post(func() {
		if k.current == nil {
			k.plane.WatchPath()
			return
		}
		r := k.current
		r.step(func() { r.machine.Elsewhere(n.now(), context, from, octets) })
	})
}

// current lets the machine of an established link do something.
func (n *Node) current(name string, do func(*runner)) {
	k := n.keeper(name)
	if k == nil {
		return
	}
	k.queue.Post(func() {
		if r := k.current; r != nil {
			r.step(func() { do(r) })
		}
	})
}
