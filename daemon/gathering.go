package daemon

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"

	"pc5d/daemon/link"
	"pc5d/daemon/task"
	"pc5d/dataplane"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// gathering owns one request to everybody: it keeps the request context and gives each responder
// a runner. The L2 ID that they share stays in use until the last of them has another.
type gathering struct {
	node    *Node
	local   underlay.LayerTwoID
	queue   task.Queue
	waiting atomic.Int32 // datagrams in the queue

	// touched by the queue's tasks only
	request *link.Solicitation
	runners map[netip.AddrPort]*runner
	closed  bool
}

// idleLinks are the links of a node that need one: everybody is asked, and whose link is up or on
// its way keeps it.
type idleLinks struct{ node *Node }

// Lookup implements link.Links.
func (i idleLinks) Lookup(peer link.Peer, service string) (link.Link, bool) {
	l, ok := i.node.Lookup(peer, service)
	if !ok {
		return l, false
	}
	k := i.node.keeper(l.Name)
	if k == nil {
		return l, false
	}
	state := k.seen().State
	return l, state != "established" && state != "establishing"
}

// gather sends a request for a service to everybody at an address.
func (n *Node) gather(service string, to netip.AddrPort) error {
	local := n.Reserve()
	cfg := n.machineConfig(local)
	cfg.Links = idleLinks{n}
	offer := link.Link{Service: service, Signalling: policy.DefaultSignalling(), UserPlane: policy.DefaultUserPlane().On(n.cfg.Processor)}
	g := &gathering{node: n, local: local, request: link.NewSolicitation(cfg, offer, to), runners: map[netip.AddrPort]*runner{}}
	if err := g.request.Start(n.now()); err != nil {
		n.demux.remove(local, underlay.Broadcast, nil)
		return fmt.Errorf("request to %s: %w", to, err)
	}
	g.queue = n.cfg.Scheduler.NewQueue(g.wake)
	n.demux.add(local, g)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gatherings = append(n.gatherings, g)
	g.queue.Post(g.apply)
	return nil
}

// deliver implements recipient: what no runner of the request is bound to yet.
func (g *gathering) deliver(p packet) bool {
	if g.waiting.Add(1) > int32(g.node.limits.Inbox) {
		g.waiting.Add(-1)
		return false
	}
	p.datagram = bytes.Clone(p.datagram)
	g.queue.Post(func() {
		g.waiting.Add(-1)
		g.receive(p)
	})
	return true
}

func (g *gathering) receive(p packet) {
	if r := g.runners[p.from]; r != nil {
		if !r.deliver(p) {
			g.node.refused.Add(1)
		}
		return
	}
	if len(g.runners) >= g.node.limits.Answers {
		g.node.refused.Add(1)
		return
	}
	m, err := g.request.Answer(g.node.now(), p.from, p.datagram)
	if err != nil {
		g.node.dropped(err)
		return
	}
	r := newRunner(g.node, m, nil)
	r.gathering = g
	g.runners[p.from] = r
	g.node.begin(r)
}

func (g *gathering) wake() {
	g.request.Advance(g.node.now())
	g.apply()
}

// apply sends what the request context has to say.
func (g *gathering) apply() {
	for {
		e, ok := g.request.Next()
		if !ok {
			break
		}
		if send, ok := e.(link.Send); ok {
			g.node.send(dataplane.Port{}, send.To, send.Datagram)
		}
	}
	g.queue.WakeAt(g.request.Deadline())
	g.tidy()
}

// leave says that a runner has another L2 ID, or none any more.
func (g *gathering) leave(r *runner) {
	g.queue.Post(func() {
		for from, o := range g.runners {
			if o == r {
				delete(g.runners, from)
			}
		}
		g.tidy()
	})
}

// stop ends the request context.
func (g *gathering) stop() {
	g.queue.Post(func() {
		g.request.Close()
		g.apply()
	})
}

// tidy gives the L2 ID back when nobody uses it any more.
func (g *gathering) tidy() {
	if g.closed || len(g.runners) > 0 || !g.request.Deadline().IsZero() {
		return
	}
	g.closed = true
	g.queue.Close()
	n := g.node
	n.demux.remove(g.local, underlay.Broadcast, g)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gatherings = slices.DeleteFunc(n.gatherings, func(o *gathering) bool { return o == g })
}
