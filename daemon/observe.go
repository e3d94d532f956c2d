package daemon

import "pc5d/daemon/link"

// Observation is an effect of a machine that is about to be carried out. Nothing depends on an
// observer: a simulation's invariants look at a node through it.
type Observation struct {
	// Machine may be read during the call, and by whoever runs all queues himself also later.
	Machine *link.Machine
	Link    string // "" at a responder whose peer is not authenticated yet
	// Effect's keys are the user plane's, which wipes them after the call.
	Effect link.Effect
}

// observe tells the observer, where there is one.
func (r *runner) observe(e link.Effect) {
	if r.node.cfg.Observe == nil {
		return
	}
	o := Observation{Machine: r.machine, Effect: e}
	if r.keeper != nil {
		o.Link = r.keeper.link.Name
	}
	r.node.cfg.Observe(o)
}

// Census counts what a node holds.
type Census struct {
	Links       int
	Alarms      int // of invites: 1 once there was one
	Machines    int // live ones
	HalfOpen    int // of them, responders whose peer is not authenticated
	Spent       int // conversations remembered for a cookie's life
	LayerTwoIDs int // own ones in use
	Pairs       int // entries of own and peer's L2 ID
	Claims      int // K_NRP-sess IDs that peers' commands named
}

// Census counts.
func (n *Node) Census() Census {
	var c Census
	n.mu.Lock()
	c.Machines = len(n.runners)
	n.mu.Unlock()
	c.Links = len(n.ordered())
	n.links.change.Lock()
	if n.pairing.queue != nil {
		c.Alarms = 1
	}
	n.links.change.Unlock()
	n.halfOpen.mu.Lock()
	c.HalfOpen, c.Spent = len(n.halfOpen.open), len(n.halfOpen.spent)
	n.halfOpen.mu.Unlock()
	n.demux.mu.RLock()
	c.LayerTwoIDs, c.Pairs, c.Claims = len(n.demux.byLocal), len(n.demux.byPair), len(n.demux.claims)
	n.demux.mu.RUnlock()
	return c
}
